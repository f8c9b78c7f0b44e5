//! What the stories of matchmaking and placement are played on: a local GameLift, a fleet over two locations, and an ear for
//! its events.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gamelift_local::{ApiError, Local};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::game_server::{GameServer, Manner};
use crate::in_process::start;

pub(crate) const EAST: &str = "custom-east";
pub(crate) const WEST: &str = "custom-west";

/// A host of the fleet, and what its servers connect with.
pub(crate) struct Compute {
    pub(crate) fleet_id: String,
    pub(crate) name: String,
    pub(crate) auth_token: String,
}

pub(crate) struct World {
    pub(crate) local: Arc<Local>,
    pub(crate) fleet_id: String,
    fleet_arn: String,
    computes: Vec<(&'static str, Compute)>,
    events: Arc<Mutex<Vec<Value>>>,
    ports: u16,
}

impl World {
    /// A fleet with a compute in each location, and the queue `q` over it.
    pub(crate) async fn new() -> Self {
        let local = start().await;
        let events = Arc::new(Mutex::new(Vec::new()));
        let (mut heard, kept) = (local.events().unwrap(), events.clone());
        tokio::spawn(async move {
            while let Some(event) = heard.next().await {
                let event: Value = serde_json::from_str(&event.unwrap().json).unwrap();
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(event);
            }
        });
        let mut world = Self {
            local,
            fleet_id: String::new(),
            fleet_arn: String::new(),
            computes: Vec::new(),
            events,
            ports: 7_000,
        };
        for location in [EAST, WEST] {
            world.call("CreateLocation", json!({ "LocationName": location })).await;
        }
        let fleet = world
            .call(
                "CreateFleet",
                json!({ "Name": "f", "ComputeType": "ANYWHERE", "Locations": [{ "Location": EAST }, { "Location": WEST }] }),
            )
            .await;
        let attributes = &fleet["FleetAttributes"];
        world.fleet_id = attributes["FleetId"].as_str().unwrap().to_owned();
        world.fleet_arn = attributes["FleetArn"].as_str().unwrap().to_owned();
        for location in [EAST, WEST] {
            let compute = world.compute(location).await;
            world.computes.push((location, compute));
        }
        world.queue("q", json!({})).await;
        world
    }

    async fn compute(&self, location: &str) -> Compute {
        let name = location.replace("custom", "host");
        let host = json!({ "FleetId": self.fleet_id, "ComputeName": name });
        let mut register = host.clone();
        register["Location"] = location.into();
        register["IpAddress"] = "10.0.0.1".into();
        self.call("RegisterCompute", register).await;
        let token = self.call("GetComputeAuthToken", host).await;
        let auth_token = token["AuthToken"].as_str().unwrap().to_owned();
        Compute { fleet_id: self.fleet_id.clone(), name, auth_token }
    }

    /// A queue over the fleet; `more` are further members of CreateGameSessionQueue.
    pub(crate) async fn queue(&self, name: &str, more: Value) {
        let queue = json!({ "Name": name, "Destinations": [{ "DestinationArn": self.fleet_arn }] });
        self.call("CreateGameSessionQueue", with(queue, more)).await;
    }

    /// The configuration `m` over the queue `q`: tickets wait 60 s, nobody has to accept. `more` are further members of
    /// CreateMatchmakingConfiguration.
    pub(crate) async fn matchmaker(&self, rules: Value, more: Value) -> String {
        let rule_set = json!({ "Name": "r", "RuleSetBody": rules.to_string() });
        self.call("CreateMatchmakingRuleSet", rule_set).await;
        let queue = self.call("DescribeGameSessionQueues", json!({ "Names": ["q"] })).await;
        let configuration = json!({
            "Name": "m", "RuleSetName": "r", "RequestTimeoutSeconds": 60, "AcceptanceRequired": false,
            "GameSessionQueueArns": [queue["GameSessionQueues"][0]["GameSessionQueueArn"]],
        });
        let made = self.call("CreateMatchmakingConfiguration", with(configuration, more)).await;
        made["Configuration"]["ConfigurationArn"].as_str().unwrap().to_owned()
    }

    /// A game server in a location.
    pub(crate) async fn server(&mut self, location: &str) -> GameServer {
        self.server_that(Manner::Hosts, location).await
    }

    pub(crate) async fn server_that(&mut self, manner: Manner, location: &str) -> GameServer {
        self.ports += 1;
        let (_, compute) = self.computes.iter().find(|(name, _)| *name == location).unwrap();
        GameServer::start(&self.local, compute, self.ports, manner).await
    }

    /// An API operation that succeeds.
    pub(crate) async fn call(&self, operation: &str, input: Value) -> Value {
        let shown = input.to_string();
        match self.local.call(operation, input).await {
            Ok(output) => output,
            Err(error) => panic!("{operation} {shown}: {error}"),
        }
    }

    /// An API operation that fails.
    pub(crate) async fn fails(&self, operation: &str, input: Value) -> ApiError {
        self.local.call(operation, input).await.unwrap_err()
    }

    /// A ticket in `m` for one player of the same name; `player` are further members of the player.
    pub(crate) async fn wants_match(&self, name: &str, player: Value) {
        let player = with(json!({ "PlayerId": name }), player);
        let request = json!({ "TicketId": name, "ConfigurationName": "m", "Players": [player] });
        self.call("StartMatchmaking", request).await;
    }

    pub(crate) async fn answer(&self, ticket: &str, player: &str, acceptance: &str) {
        let answer = json!({ "TicketId": ticket, "PlayerIds": [player], "AcceptanceType": acceptance });
        self.call("AcceptMatch", answer).await;
    }

    pub(crate) async fn ticket(&self, id: &str) -> Value {
        self.call("DescribeMatchmaking", json!({ "TicketIds": [id] })).await["TicketList"][0].clone()
    }

    pub(crate) async fn status(&self, id: &str) -> String {
        self.ticket(id).await["Status"].as_str().unwrap().to_owned()
    }

    /// The ticket, once it has this status.
    pub(crate) async fn until(&self, id: &str, status: &str) -> Value {
        self.becomes("DescribeMatchmaking", json!({ "TicketIds": [id] }), "/TicketList/0", status).await
    }

    /// Places a game session through the queue `q`. `more` are further members of StartGameSessionPlacement.
    pub(crate) async fn place(&self, id: &str, more: Value) {
        let request =
            json!({ "PlacementId": id, "GameSessionQueueName": "q", "MaximumPlayerSessionCount": 4 });
        self.call("StartGameSessionPlacement", with(request, more)).await;
    }

    /// The placement, once it has this status.
    pub(crate) async fn until_placement(&self, id: &str, status: &str) -> Value {
        let input = json!({ "PlacementId": id });
        self.becomes("DescribeGameSessionPlacement", input, "/GameSessionPlacement", status).await
    }

    /// Looks every tenth of a second for at most ten minutes, in virtual time.
    async fn becomes(&self, operation: &str, input: Value, pointer: &str, status: &str) -> Value {
        let begun = Instant::now();
        loop {
            let output = self.call(operation, input.clone()).await;
            let it = output.pointer(pointer).unwrap();
            if it["Status"] == status {
                return it.clone();
            }
            assert!(begun.elapsed() < Duration::from_secs(600), "{input} did not become {status}: {it}");
            sleep(Duration::from_millis(100)).await;
        }
    }

    pub(crate) async fn game_session(&self, arn: &str) -> Value {
        self.call("DescribeGameSessions", json!({ "GameSessionId": arn })).await["GameSessions"][0].clone()
    }

    /// Who has a seat, and in which status, in the order of the players' names.
    pub(crate) async fn seats(&self, arn: &str) -> Vec<(String, String)> {
        let found = self.call("DescribePlayerSessions", json!({ "GameSessionId": arn })).await;
        let text = |it: &Value| it.as_str().unwrap().to_owned();
        let sessions = found["PlayerSessions"].as_array().unwrap().iter();
        let mut seats: Vec<_> = sessions.map(|it| (text(&it["PlayerId"]), text(&it["Status"]))).collect();
        seats.sort();
        seats
    }

    /// The events that name this ticket or placement, in order.
    pub(crate) async fn events_of(&self, id: &str) -> Vec<Value> {
        // Until the listener has nothing left to read.
        sleep(Duration::from_millis(1)).await;
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let concerns = |detail: &Value| {
            let tickets = detail["tickets"].as_array().into_iter().flatten();
            detail["placementId"] == id || tickets.into_iter().any(|ticket| ticket["ticketId"] == id)
        };
        events.iter().map(|event| event["detail"].clone()).filter(concerns).collect()
    }

    /// Their types.
    pub(crate) async fn story(&self, id: &str) -> Vec<String> {
        let events = self.events_of(id).await;
        events.iter().map(|detail| detail["type"].as_str().unwrap().to_owned()).collect()
    }
}

/// Two teams that take one player, or up to `most`.
pub(crate) fn teams_of(most: u32) -> Value {
    json!({
        "ruleLanguageVersion": "1.0",
        "playerAttributes": [{ "name": "skill", "type": "number", "default": 10 }],
        "teams": [
            { "name": "red", "minPlayers": 1, "maxPlayers": most },
            { "name": "blue", "minPlayers": 1, "maxPlayers": most },
        ],
    })
}

/// `base` with the members of `more`.
fn with(mut base: Value, more: Value) -> Value {
    let members = more.as_object().unwrap();
    base.as_object_mut().unwrap().extend(members.iter().map(|(name, value)| (name.clone(), value.clone())));
    base
}
