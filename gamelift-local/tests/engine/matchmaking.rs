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

fn types(events: &[&str]) -> Vec<String> {
    events.iter().map(|event| (*event).to_owned()).collect()
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
