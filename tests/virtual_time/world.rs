//! What the stories of matchmaking and placement are played on: a local GameLift, a fleet over two locations, and an ear for
//! its events.

use std::ops::Deref;

use gamelift_local::testing::Emulator;
use serde_json::{Value, json};

use crate::game_server::{GameServer, Manner};

pub(crate) const EAST: &str = "custom-east";
pub(crate) const WEST: &str = "custom-west";

/// A host of the fleet, and what its servers connect with.
pub(crate) struct Compute {
    pub(crate) fleet_id: String,
    pub(crate) name: String,
    pub(crate) auth_token: String,
}

/// All that an emulator can do, and the words of these stories.
pub(crate) struct World {
    gamelift: Emulator,
    pub(crate) fleet_id: String,
    fleet_arn: String,
    computes: Vec<(&'static str, Compute)>,
    ports: u16,
}

impl Deref for World {
    type Target = Emulator;

    fn deref(&self) -> &Emulator {
        &self.gamelift
    }
}

impl World {
    /// A fleet with a compute in each location, and the queue `q` over it.
    pub(crate) async fn new() -> Self {
        let mut world = Self {
            gamelift: Emulator::in_memory().await,
            fleet_id: String::new(),
            fleet_arn: String::new(),
            computes: Vec::new(),
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
        GameServer::start(self.local(), compute, self.ports, manner).await
    }

    /// A ticket in `m` for one player of the same name; `player` are further members of the player.
    #[track_caller]
    pub(crate) fn wants_match(&self, name: &str, player: Value) -> impl Future<Output = ()> + Send {
        self.start_ticket("m", name, player)
    }

    /// Places a game session through the queue `q`. `more` are further members of StartGameSessionPlacement.
    pub(crate) async fn place(&self, id: &str, more: Value) {
        let request =
            json!({ "PlacementId": id, "GameSessionQueueName": "q", "MaximumPlayerSessionCount": 4 });
        self.call("StartGameSessionPlacement", with(request, more)).await;
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
