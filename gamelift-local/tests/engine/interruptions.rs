//! Protection, interruption, refreshes and limits on creators, in virtual time.

use std::time::Duration;

use gamelift_local::{
    ApiError,
    ErrorKind::{InvalidRequest, LimitExceeded, NotFound},
    engine::{Engine, Settings},
    model::*,
};
use serde_json::{Value, json};

use crate::bench::{Bench, COMPUTE, LOCATION, input, kind};

impl Bench {
    fn interrupt(&mut self) -> Result<(), ApiError> {
        let body = json!({ "FleetId": self.fleet, "ComputeName": COMPUTE });
        self.engine.interrupt_compute(self.now, input(body))
    }

    fn scale_down(&mut self, most: usize) -> usize {
        let body = json!({ "FleetId": self.fleet, "Location": LOCATION });
        self.engine.scale_down(self.now, input(body), most).unwrap()
    }

    fn by(&mut self, creator: Option<&str>) -> Result<GameSession, ApiError> {
        self.try_create(json!({ "CreatorId": creator }))
    }
}

#[test]
fn an_interrupted_compute_has_two_minutes_and_its_game_sessions_say_why_they_ended() {
    let mut bench = Bench::with_fleet(json!({ "NewGameSessionProtectionPolicy": "FullProtection" }));
    let (connection, arn) = bench.hosting("busy");
    bench.ready("idle");
    bench.interrupt().unwrap();
    let due = bench.now.as_millis() + 120_000;
    let pushes = bench.pushes();
    assert_eq!(pushes.len(), 2);
    assert!(pushes.iter().all(|(_, push)| push["TerminationTime"] == due), "{pushes:?}");
    assert!(bench.try_create(json!({})).is_err(), "it gets no more game sessions");
    bench.wait_s(60);
    bench.heartbeat(connection, true);
    assert_eq!(bench.status(&arn), GameSessionStatus::Active);
    bench.wait_s(60);
    let session = bench.session(&arn);
    assert_eq!(session.status, GameSessionStatus::Terminated);
    assert_eq!(session.status_reason, Some(GameSessionStatusReason::Interrupted));
    assert_eq!(bench.closed().len(), 2);
    assert_eq!(kind(bench.interrupt()), Some(NotFound), "the compute is gone");
}

#[test]
fn a_process_that_ends_in_time_ends_its_game_session_as_interrupted() {
    let mut bench = Bench::new();
    let (connection, arn) = bench.hosting("p");
    bench.interrupt().unwrap();
    bench.interrupt().expect("twice is once");
    assert_eq!(bench.push_actions(), ["TerminateProcess"]);
    bench.ok(connection, "TerminateServerProcess", json!({}));
    assert_eq!(bench.session(&arn).status_reason, Some(GameSessionStatusReason::Interrupted));
}

#[test]
fn an_interruption_shortens_the_grace_of_a_process_that_was_asked_before() {
    let mut bench = Bench::new();
    let (_, arn) = bench.hosting("p");
    bench.terminate(&arn).unwrap();
    bench.pushes();
    bench.interrupt().unwrap();
    let due = bench.now.as_millis() + 120_000;
    assert_eq!(bench.pushes()[0].1["TerminationTime"], due);
}

#[test]
fn scaling_down_takes_free_processes_first_and_spares_protected_game_sessions() {
    let mut bench = Bench::new();
    let (_, open) = bench.hosting("open");
    let body = json!({ "FleetId": bench.fleet, "NewGameSessionProtectionPolicy": "FullProtection" });
    bench.engine.update_fleet_attributes(bench.now, input(body)).unwrap();
    let (_, protected) = bench.hosting("protected");
    let free = bench.ready("free");
    assert_eq!(bench.scale_down(1), 1);
    let pushes = bench.pushes();
    assert_eq!((pushes.len(), pushes[0].0), (1, free), "nobody plays there");
    assert_eq!(bench.scale_down(9), 1, "the unprotected one, although nine were wanted");
    bench.pushes();
    let details =
        bench.engine.describe_game_session_details(bench.now, input(json!({ "GameSessionId": open })));
    assert_eq!(details.unwrap().game_session_details[0].protection_policy, ProtectionPolicy::NoProtection);
    let body = json!({ "GameSessionId": protected, "ProtectionPolicy": "NoProtection" });
    bench.engine.update_game_session(bench.now, input(body)).unwrap();
    assert_eq!(bench.push_actions(), [""; 0], "protection is none of the process's business");
    assert_eq!(bench.scale_down(9), 1);
}

#[test]
fn protection_does_not_keep_a_game_session_from_being_terminated_on_request() {
    let mut bench = Bench::with_fleet(json!({ "NewGameSessionProtectionPolicy": "FullProtection" }));
    let (_, arn) = bench.hosting("p");
    assert_eq!(bench.terminate(&arn).unwrap().status, GameSessionStatus::Terminating);
}

#[test]
fn a_policy_limits_how_many_game_sessions_a_creator_makes_in_its_period() {
    let policy = json!({ "NewGameSessionsPerCreator": 2, "PolicyPeriodInMinutes": 5 });
    let mut bench = Bench::with_fleet(json!({ "ResourceCreationLimitPolicy": policy }));
    for process in ["a", "b", "c", "d"] {
        bench.ready(process);
    }
    let error = bench.by(None).unwrap_err();
    assert_eq!(error.kind, InvalidRequest);
    assert!(error.message.contains("CreatorId is required"), "{error}");
    bench.by(Some("ada")).unwrap();
    bench.by(Some("ada")).unwrap();
    let error = bench.by(Some("ada")).unwrap_err();
    assert_eq!(error.kind, LimitExceeded);
    assert!(error.message.contains("2 game sessions per CreatorId in 5 minutes"), "{error}");
    bench.by(Some("bob")).expect("another creator");
    bench.wait_s(299);
    assert_eq!(kind(bench.by(Some("ada"))), Some(LimitExceeded));
    bench.wait_s(1);
    assert_ne!(kind(bench.by(Some("ada"))), Some(LimitExceeded));
}

#[test]
fn without_a_policy_a_creator_makes_one_game_session_a_second() {
    let mut bench = Bench::new();
    for process in ["a", "b", "c"] {
        bench.ready(process);
    }
    bench.by(Some("ada")).unwrap();
    assert_eq!(kind(bench.by(Some("ada"))), Some(LimitExceeded));
    bench.by(None).expect("whoever gives no CreatorId is not limited");
    bench.wait_s(1);
    bench.by(Some("ada")).unwrap();
}

fn refreshing() -> Bench {
    let mut bench = Bench::new();
    let mut settings = Settings::default();
    settings.refresh_interval = Some(Duration::from_secs(600));
    bench.start_anew(Engine::new(settings, 7));
    bench
}

#[test]
fn connections_are_refreshed_on_schedule_with_a_new_token_that_works() {
    let mut bench = refreshing();
    let connection = bench.ready("p");
    let beat = |bench: &mut Bench, connection| {
        for _ in 0..10 {
            bench.wait_s(59);
            bench.heartbeat(connection, true);
        }
    };
    beat(&mut bench, connection);
    assert_eq!(bench.push_actions(), [""; 0]);
    bench.wait_s(10);
    let pushes = bench.pushes();
    assert_eq!((pushes.len(), &pushes[0].1["Action"]), (1, &json!("RefreshConnection")));
    bench.token = pushes[0].1["AuthToken"].as_str().unwrap().to_owned();
    let moved = bench.connect("p");
    bench.disconnect(connection);
    beat(&mut bench, moved);
    assert_eq!(bench.push_actions(), [""; 0], "the time begins anew with the new connection");
}

#[test]
fn a_process_that_does_not_move_is_told_every_minute_and_then_cut_off() {
    let mut bench = refreshing();
    let connection = bench.ready("p");
    let mut told = Vec::new();
    let mut closed = Vec::new();
    while closed.is_empty() {
        bench.heartbeat(connection, true);
        bench.wait_s(50);
        told.extend(bench.push_actions());
        closed = bench.closed();
    }
    assert_eq!(told, ["RefreshConnection"; 5]);
    assert_eq!(closed, [(connection, Some(1012))]);
    assert_eq!(bench.engine.snapshot(bench.now).connection_count, 0, "closed by force");
}

#[test]
fn a_token_opens_the_door_until_it_expires_and_not_a_moment_longer() {
    let mut bench = Bench::new();
    let ttl = 3 * 60 * 60;
    bench.wait_s(ttl - 1);
    bench.connect("in-time");
    bench.wait_s(1);
    let query = bench.query("late", "t");
    let refused = bench.try_connect(query).unwrap_err();
    assert_eq!(refused.status, 403);
    assert!(refused.message.contains("expired") && !refused.message.contains(&bench.token), "{refused}");
    bench.renew_token();
    bench.connect("late");
}

#[test]
fn a_token_is_handed_out_again_until_a_quarter_of_an_hour_is_left() {
    let mut bench = Bench::new();
    let first = bench.token.clone();
    bench.wait_s(3 * 60 * 60 - 15 * 60);
    bench.renew_token();
    assert_eq!(bench.token, first);
    bench.wait_s(1);
    bench.renew_token();
    assert_ne!(bench.token, first);
    let body: Value = json!({ "FleetId": bench.fleet, "ComputeName": COMPUTE });
    let expires = bench.engine.get_compute_auth_token(bench.now, input(body)).unwrap().expiration_timestamp;
    assert_eq!(expires, bench.now + Duration::from_secs(3 * 60 * 60));
}
