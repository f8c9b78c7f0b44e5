//! Matchmaking: from tickets to game sessions.

use gamelift_local::{
    ApiError,
    ErrorKind::{InvalidRequest, NotFound},
    engine::ConnectionId,
    model::{MatchmakingTicketStatus::*, *},
};
use serde_json::{Value, json};

use crate::bench::{Bench, LOCATION, input, kind};

/// Two teams of one, or of up to `most`.
pub(crate) fn duel(most: u32) -> Value {
    json!({
        "ruleLanguageVersion": "1.0",
        "playerAttributes": [{ "name": "skill", "type": "number", "default": 10 }],
        "teams": [
            { "name": "red", "minPlayers": 1, "maxPlayers": most },
            { "name": "blue", "minPlayers": 1, "maxPlayers": most },
        ],
    })
}

impl Bench {
    /// A rule set and a configuration `m` with it, over the queue `q`.
    pub(crate) fn matchmaker(&mut self, rules: &Value, more: Value) {
        self.queue();
        self.try_rule_set("r", &rules.to_string()).expect("a rule set");
        self.try_configure("m", more).expect("a configuration");
    }

    pub(crate) fn try_rule_set(&mut self, name: &str, body: &str) -> Result<MatchmakingRuleSet, ApiError> {
        let body = input(json!({ "Name": name, "RuleSetBody": body }));
        self.engine.create_matchmaking_rule_set(self.now, body).map(|output| output.rule_set)
    }

    pub(crate) fn try_configure(
        &mut self,
        name: &str,
        more: Value,
    ) -> Result<MatchmakingConfiguration, ApiError> {
        let mut body = json!({
            "Name": name, "RuleSetName": "r", "RequestTimeoutSeconds": 60, "AcceptanceRequired": false,
            "GameSessionQueueArns": ["arn:aws:gamelift:us-west-2:123456789012:gamesessionqueue/q"],
        });
        for (key, value) in more.as_object().expect("an object") {
            body[key] = value.clone();
        }
        let output = self.engine.create_matchmaking_configuration(self.now, input(body));
        output.map(|output| output.configuration)
    }

    pub(crate) fn try_match(&mut self, ticket: &str, more: Value) -> Result<MatchmakingTicket, ApiError> {
        let mut body =
            json!({ "TicketId": ticket, "ConfigurationName": "m", "Players": [{ "PlayerId": ticket }] });
        for (key, value) in more.as_object().expect("an object") {
            body[key] = value.clone();
        }
        self.engine.start_matchmaking(self.now, input(body)).map(|output| output.matchmaking_ticket)
    }

    /// A ticket for the player of the same name.
    pub(crate) fn wants_match(&mut self, player: &str) -> MatchmakingTicket {
        self.try_match(player, json!({})).expect("a ticket")
    }

    pub(crate) fn ticket(&mut self, id: &str) -> MatchmakingTicket {
        let body = input(json!({ "TicketIds": [id] }));
        let mut output = self.engine.describe_matchmaking(self.now, body).expect("an answer");
        assert_eq!(output.ticket_list.len(), 1, "the ticket {id} is known");
        output.ticket_list.remove(0)
    }

    pub(crate) fn statuses(&mut self, ids: &[&str]) -> Vec<MatchmakingTicketStatus> {
        ids.iter().map(|id| self.ticket(id).status).collect()
    }

    pub(crate) fn try_stop_ticket(&mut self, id: &str) -> Result<Empty, ApiError> {
        self.engine.stop_matchmaking(self.now, input(json!({ "TicketId": id })))
    }

    pub(crate) fn answer(&mut self, ticket: &str, player: &str, answer: &str) -> Result<Empty, ApiError> {
        let body = json!({ "TicketId": ticket, "PlayerIds": [player], "AcceptanceType": answer });
        self.engine.accept_match(self.now, input(body))
    }

    /// What the one CreateGameSession push since the last look says; its game session becomes ACTIVE.
    pub(crate) fn host_match(&mut self, connection: ConnectionId) -> Value {
        let mut pushes = self.pushes();
        assert_eq!(pushes.len(), 1, "{pushes:?}");
        let (to, push) = pushes.remove(0);
        assert_eq!((to, &push["Action"]), (connection, &json!("CreateGameSession")));
        self.ok(connection, "ActivateGameSession", json!({ "GameSessionId": push["GameSessionId"] }));
        push
    }
}

#[test]
fn two_players_are_matched_placed_and_told_where_to_connect() {
    let mut bench = Bench::new();
    let more = json!({
        "GameProperties": [{ "Key": "map", "Value": "desert" }], "GameSessionData": "d",
        "CustomEventData": "c", "NotificationTarget": "arn:aws:sns:us-west-2:123456789012:t",
    });
    bench.matchmaker(&duel(2), more);
    let connection = bench.ready("p");
    let ada = json!([{
        "PlayerId": "ada", "PlayerAttributes": { "skill": { "N": 7 } }, "LatencyInMs": { LOCATION: 20 },
    }]);
    let ticket = bench.try_match("ada", json!({ "Players": ada })).unwrap();
    assert_eq!((ticket.status, ticket.start_time), (Queued, bench.now));
    assert_eq!(
        ticket.configuration_arn,
        "arn:aws:gamelift:us-west-2:123456789012:matchmakingconfiguration/m"
    );
    bench.wait_s(5);
    assert_eq!(bench.ticket("ada").status, Searching);
    assert_eq!(bench.ticket("ada").estimated_wait_time, Some(5));
    bench.wants_match("bob");
    bench.wait_s(1);
    assert_eq!(bench.statuses(&["ada", "bob"]), [Placing, Placing]);
    assert_eq!(bench.ticket("ada").players[0].team, None, "teams come with the game session");

    let push = bench.host_match(connection);
    assert_eq!((&push["MaximumPlayerSessionCount"], &push["GameSessionData"]), (&json!(4), &json!("d")));
    assert_eq!(push["GameProperties"], json!({ "map": "desert" }));
    let data: Value = serde_json::from_str(push["MatchmakerData"].as_str().unwrap()).unwrap();
    assert_eq!(data["matchmakingConfigurationArn"], ticket.configuration_arn);
    assert_eq!(data["teams"].as_array().unwrap().len(), 2);

    let ticket = bench.ticket("ada");
    assert_eq!((ticket.status, ticket.end_time), (Completed, Some(bench.now)));
    let player = &ticket.players[0];
    assert_eq!(player.player_attributes.as_ref().unwrap()["skill"].n, Some(7.0));
    assert_eq!(player.latency_in_ms.as_ref().unwrap()[LOCATION], 20);
    let mut teams = [player.team.clone().unwrap(), bench.ticket("bob").players[0].team.clone().unwrap()];
    teams.sort();
    assert_eq!(teams, ["blue", "red"]);
    let info = ticket.game_session_connection_info.unwrap();
    assert_eq!(json!(info.game_session_arn), push["GameSessionId"]);
    assert_eq!(
        (info.ip_address.as_str(), info.port, info.dns_name.as_deref()),
        ("10.0.0.1", 7777, Some("box.example"))
    );
    assert_eq!(info.matched_player_sessions.len(), 1, "only those of the ticket");
    let slot = bench.player(&info.matched_player_sessions[0].player_session_id);
    assert_eq!((slot.player_id.as_str(), slot.status), ("ada", PlayerSessionStatus::Reserved));
    assert_eq!(bench.session(&info.game_session_arn).current_player_session_count, 2);

    let events = bench.events();
    let matchmaking: Vec<Value> = events
        .iter()
        .filter(|event| event.topic_arn.is_some())
        .map(|event| serde_json::from_str(&event.json).unwrap())
        .collect();
    let names: Vec<_> = matchmaking.iter().map(|event| event["detail"]["type"].clone()).collect();
    assert_eq!(
        names,
        ["MatchmakingSearching", "MatchmakingSearching", "PotentialMatchCreated", "MatchmakingSucceeded"]
    );
    let last = &matchmaking[3];
    assert_eq!(last["detail-type"], "GameLift Matchmaking Event");
    assert_eq!(last["resources"], json!([ticket.configuration_arn]));
    assert_eq!(last["detail"]["customEventData"], "c");
    assert_eq!(last["detail"]["gameSessionInfo"]["port"], 7777);
    assert_eq!(last["detail"]["matchId"], data["matchId"]);
}

#[test]
fn acceptance_asks_every_player_and_only_then_places() {
    let mut bench = Bench::new();
    bench.matchmaker(&duel(1), json!({ "AcceptanceRequired": true, "AcceptanceTimeoutSeconds": 10 }));
    let connection = bench.ready("p");
    bench.wants_match("ada");
    bench.wants_match("bob");
    assert_eq!(kind(bench.answer("ada", "ada", "ACCEPT")), Some(InvalidRequest), "nobody asked yet");
    bench.wait_s(1);
    assert_eq!(bench.statuses(&["ada", "bob"]), [RequiresAcceptance, RequiresAcceptance]);
    bench.answer("ada", "ada", "ACCEPT").unwrap();
    bench.answer("ada", "ada", "ACCEPT").expect("an answer may be repeated while others think");
    for (player, text) in [("bob", "not on the ticket"), ("eve", "not on the ticket"), ("", "playerIds")] {
        let error = bench.answer("ada", player, "ACCEPT").unwrap_err();
        assert_eq!(error.kind, InvalidRequest);
        assert!(error.message.contains(text), "{error}");
    }
    assert_eq!(kind(bench.answer("ada", "ada", "PERHAPS")), Some(InvalidRequest));
    assert_eq!(kind(bench.answer("none", "ada", "ACCEPT")), Some(NotFound));
    assert_eq!(bench.push_actions(), [""; 0]);
    bench.answer("bob", "bob", "ACCEPT").unwrap();
    assert_eq!(bench.statuses(&["ada", "bob"]), [Placing, Placing]);
    assert_eq!(kind(bench.answer("bob", "bob", "ACCEPT")), Some(InvalidRequest), "too late");
    bench.host_match(connection);
    assert_eq!(bench.statuses(&["ada", "bob"]), [Completed, Completed]);
    let tail = bench.event_types().split_off(3);
    let expected = [
        "AcceptMatch",
        "AcceptMatch",
        "AcceptMatch",
        "AcceptMatchCompleted",
        "PlacementFulfilled",
        "MatchmakingSucceeded",
    ];
    assert_eq!(tail, expected);
}

#[test]
fn a_rejection_cancels_the_rejecter_and_the_other_searches_on() {
    let mut bench = Bench::new();
    bench.matchmaker(&duel(1), json!({ "AcceptanceRequired": true }));
    bench.wants_match("ada");
    bench.wants_match("bob");
    bench.wait_s(1);
    bench.answer("ada", "ada", "ACCEPT").unwrap();
    bench.answer("bob", "bob", "REJECT").unwrap();
    assert_eq!(bench.statuses(&["ada", "bob"]), [Searching, Cancelled]);
    let ada = bench.ticket("ada");
    assert!(ada.status_reason.is_some() && ada.status_message.is_some(), "{ada:?}");
    assert_eq!(bench.ticket("bob").end_time, Some(bench.now));
}

#[test]
fn silence_until_the_acceptance_timeout_cancels_whoever_is_silent() {
    let mut bench = Bench::new();
    bench.matchmaker(&duel(1), json!({ "AcceptanceRequired": true, "AcceptanceTimeoutSeconds": 10 }));
    bench.wants_match("ada");
    bench.wants_match("bob");
    bench.wait_s(1);
    bench.answer("ada", "ada", "ACCEPT").unwrap();
    bench.wait_s(10);
    assert_eq!(bench.statuses(&["ada", "bob"]), [Searching, Cancelled]);
    bench.wait_s(60);
    assert_eq!(bench.ticket("ada").status, TimedOut);
}

#[test]
fn a_ticket_that_nobody_fits_times_out() {
    let mut bench = Bench::new();
    bench.matchmaker(&duel(1), json!({}));
    bench.wants_match("ada");
    bench.wait_s(59);
    assert_eq!(bench.ticket("ada").status, Searching);
    bench.wait_s(1);
    let ticket = bench.ticket("ada");
    assert_eq!((ticket.status, ticket.end_time), (TimedOut, Some(bench.now)));
    assert_eq!(ticket.status_message.as_deref(), Some("Removed from matchmaking due to timing out."));
    assert_eq!(bench.event_types(), ["MatchmakingSearching", "MatchmakingTimedOut"]);
}

#[test]
fn a_ticket_can_be_stopped_until_its_match_is_being_placed() {
    let mut bench = Bench::new();
    bench.matchmaker(&duel(1), json!({}));
    bench.wants_match("cleo");
    bench.try_stop_ticket("cleo").unwrap();
    assert_eq!(bench.ticket("cleo").status, Cancelled);
    assert_eq!(bench.ticket("cleo").status_message.as_deref(), Some("Cancelled by request."));
    assert_eq!(kind(bench.try_stop_ticket("cleo")), Some(InvalidRequest), "it has ended");
    assert_eq!(kind(bench.try_stop_ticket("none")), Some(NotFound));
    bench.wants_match("ada");
    bench.wants_match("bob");
    bench.wait_s(1);
    let error = bench.try_stop_ticket("ada").unwrap_err();
    assert_eq!(error.kind, InvalidRequest);
    assert_eq!(error.message, "Matchmaking ticket is in PLACING status and cannot be canceled.");
    assert_eq!(
        kind(bench.try_match("again", json!({ "Players": [{ "PlayerId": "ada" }] }))),
        Some(InvalidRequest)
    );
}

#[test]
fn a_players_newer_ticket_cancels_the_older_one() {
    let mut bench = Bench::new();
    bench.matchmaker(&duel(1), json!({}));
    bench.wants_match("ada");
    bench.wait_s(1);
    bench.try_match("newer", json!({ "Players": [{ "PlayerId": "ada" }] })).unwrap();
    bench.wait_s(1);
    assert_eq!(bench.statuses(&["ada", "newer"]), [Cancelled, Searching]);
    assert_eq!(bench.ticket("ada").status_reason.as_deref(), Some("Cancelled due to duplicate player"));
    assert_eq!(bench.event_types(), ["MatchmakingSearching", "MatchmakingSearching"], "AWS tells nobody");
}

#[test]
fn without_capacity_a_match_waits_in_the_queue_until_a_process_comes() {
    let mut bench = Bench::new();
    bench.matchmaker(&duel(1), json!({}));
    bench.wants_match("ada");
    bench.wants_match("bob");
    bench.wait_s(50);
    assert_eq!(bench.statuses(&["ada", "bob"]), [Placing, Placing]);
    let connection = bench.ready("p");
    bench.host_match(connection);
    assert_eq!(bench.statuses(&["ada", "bob"]), [Completed, Completed]);
}

#[test]
fn a_match_that_everybody_has_left_gives_its_process_back() {
    let mut bench = Bench::new();
    bench.matchmaker(&duel(1), json!({}));
    bench.wants_match("ada");
    bench.wants_match("bob");
    bench.wait_s(61);
    assert_eq!(bench.statuses(&["ada", "bob"]), [TimedOut, TimedOut]);
    assert_eq!(bench.engine.snapshot(bench.now).pending_placement_count, 0);
    bench.ready("p");
    assert_eq!(bench.push_actions(), [""; 0], "nobody waits");
    let tail = bench.event_types().split_off(3);
    assert_eq!(tail, ["MatchmakingTimedOut", "MatchmakingTimedOut", "PlacementCancelled"]);
}

#[test]
fn the_queues_timeout_sends_tickets_back_to_the_pool() {
    let mut bench = Bench::new();
    bench.matchmaker(&duel(1), json!({ "RequestTimeoutSeconds": 600 }));
    let body = json!({ "Name": "q", "TimeoutInSeconds": 10 });
    bench.engine.update_game_session_queue(bench.now, input(body)).unwrap();
    bench.wants_match("ada");
    bench.wants_match("bob");
    bench.wait_s(1);
    assert_eq!(bench.statuses(&["ada", "bob"]), [Placing, Placing]);
    bench.event_types();
    // Matched again, and again, as soon as the search allows.
    bench.wait_s(30);
    let timeouts = bench.event_types().iter().filter(|event| *event == "PlacementTimedOut").count();
    assert!((2..=3).contains(&timeouts), "{timeouts}");
    let connection = bench.ready("p");
    bench.host_match(connection);
    assert_eq!(bench.statuses(&["ada", "bob"]), [Completed, Completed]);
}

#[test]
fn a_game_session_that_ends_before_it_is_active_fails_the_match() {
    let mut bench = Bench::new();
    bench.matchmaker(&duel(1), json!({}));
    let connection = bench.ready("p");
    bench.wants_match("ada");
    bench.wants_match("bob");
    bench.wait_s(1);
    bench.ok(connection, "TerminateServerProcess", json!({}));
    assert_eq!(bench.statuses(&["ada", "bob"]), [Failed, Failed]);
    assert_eq!(bench.ticket("ada").status_reason.as_deref(), Some("UNEXPECTED_ERROR"));
    assert_eq!(bench.event_types().split_off(3), ["PlacementFailed", "MatchmakingFailed"]);
    bench.try_match("again", json!({ "Players": [{ "PlayerId": "ada" }] })).expect("she is free");
}

#[test]
fn a_match_whose_queue_is_gone_fails() {
    let mut bench = Bench::new();
    bench.matchmaker(&duel(1), json!({}));
    bench.engine.delete_game_session_queue(bench.now, input(json!({ "Name": "q" }))).unwrap();
    bench.wants_match("ada");
    bench.wants_match("bob");
    bench.wait_s(1);
    assert_eq!(bench.statuses(&["ada", "bob"]), [Failed, Failed]);
}

#[test]
fn a_standalone_match_is_only_announced() {
    let mut bench = Bench::new();
    bench.matchmaker(&duel(1), json!({ "FlexMatchMode": "STANDALONE", "GameSessionQueueArns": [] }));
    bench.ready("p");
    bench.wants_match("ada");
    bench.wants_match("bob");
    bench.wait_s(1);
    let ticket = bench.ticket("ada");
    assert_eq!((ticket.status, ticket.game_session_connection_info), (Completed, None));
    assert!(ticket.players[0].team.is_some());
    assert_eq!(bench.push_actions(), [""; 0]);
    assert_eq!(bench.event_types().split_off(2), ["PotentialMatchCreated", "MatchmakingSucceeded"]);
}

#[test]
fn an_update_is_for_tickets_that_follow_and_older_ones_can_still_be_described() {
    let mut bench = Bench::new();
    bench.matchmaker(&duel(1), json!({}));
    bench.wants_match("ada");
    let update = |bench: &mut Bench, seconds: u64| {
        let body = json!({ "Name": "m", "RequestTimeoutSeconds": seconds });
        bench
            .engine
            .update_matchmaking_configuration(bench.now, input(body))
            .map(|output| output.configuration)
    };
    assert_eq!(update(&mut bench, 10).unwrap().request_timeout_seconds, 10);
    bench.wants_match("bob");
    bench.wait_s(10);
    assert_eq!(bench.statuses(&["ada", "bob"]), [Searching, TimedOut]);
    for seconds in 20..40 {
        update(&mut bench, seconds).expect("old matchmakers whose tickets have ended make room");
    }
    assert_eq!(bench.ticket("ada").status, Searching);
    let body = json!({ "TicketIds": ["bob"] });
    let found = bench.engine.describe_matchmaking(bench.now, input(body)).unwrap();
    assert_eq!(found.ticket_list, [], "it went with its matchmaker");
    let delete = |bench: &mut Bench| {
        kind(bench.engine.delete_matchmaking_configuration(bench.now, input(json!({ "Name": "m" }))))
    };
    assert_eq!(delete(&mut bench), Some(InvalidRequest), "ada waits");
    bench.try_stop_ticket("ada").unwrap();
    assert_eq!(delete(&mut bench), None);
    assert_eq!(kind(bench.try_match("x", json!({}))), Some(NotFound));
    assert_eq!(bench.engine.poll_timeout(), None, "nothing is left behind");
}
