//! Configuration files: what they make, and what wrong ones are told.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::path::{Path, PathBuf};

use gamelift_local::{Config, Local, StartError, setup::Setup};
use serde_json::{Value, json};

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/two-locations.toml")
}

async fn start(setup: Setup) -> Result<Local, StartError> {
    Local::start(Config::in_memory().with_setup(setup)).await
}

/// What starting with this TOML is refused with.
async fn refusal(text: &str) -> String {
    let setup = match Setup::from_toml(text) {
        Ok(setup) => setup,
        Err(error) => return error.to_string(),
    };
    start(setup).await.expect_err("a refusal").to_string()
}

async fn call(local: &Local, operation: &str, input: Value) -> Value {
    local.call(operation, input).await.unwrap()
}

#[test]
fn the_example_has_every_member_there_is() {
    let example = std::fs::read_to_string(example()).unwrap();
    let source = include_str!("../src/setup.rs");
    let members = source.lines().filter_map(|line| line.strip_prefix("    pub ")?.split_once(':'));
    // `file` says where the file is; it is not in it.
    let members: Vec<&str> = members.map(|(member, _)| member).filter(|member| *member != "file").collect();
    assert!(members.len() > 40, "the members of a setup are where they were: {members:?}");
    let says = |member: &&&str| {
        let words = example.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        words.into_iter().any(|word| word == **member)
    };
    let missing: Vec<_> = members.iter().filter(|member| !says(member)).collect();
    assert_eq!(missing, Vec::<&&str>::new());
}

#[tokio::test(start_paused = true)]
async fn a_fleet_that_no_server_can_connect_to_does_not_hide_the_default_one() {
    let fleets = "default_resources = true\n[[locations]]\nname = \"custom-a\"\n\
                  [[fleets]]\nname = \"mine\"\nlocations = [\"custom-a\"]\n";
    let local = start(Setup::from_toml(fleets).unwrap()).await.unwrap();
    assert_eq!(local.defaults().compute_name, "laptop");
    let with_compute = format!("{fleets}computes = [{{ name = \"c\", location = \"custom-a\" }}]\n");
    let local = start(Setup::from_toml(&with_compute).unwrap()).await.unwrap();
    assert_eq!(local.defaults().compute_name, "c");
}

#[tokio::test(start_paused = true)]
async fn the_example_makes_everything_it_declares() {
    let local = start(Setup::from_file(example()).unwrap()).await.unwrap();
    let defaults = local.defaults();
    assert_eq!(
        [&defaults.fleet_id, &defaults.location, &defaults.compute_name, &defaults.auth_token],
        ["fleet-europe", "custom-frankfurt", "frankfurt-1", "token-of-frankfurt-1"]
    );
    assert_eq!(defaults.fleet_arn, "arn:aws:gamelift:eu-central-1:123456789012:fleet/fleet-europe");
    let fleets = call(&local, "ListFleets", json!({})).await;
    assert_eq!(fleets["FleetIds"], json!(["fleet-america", "fleet-europe"]), "and no default one");
    let locations = call(&local, "ListLocations", json!({})).await;
    assert_eq!(locations["Locations"].as_array().unwrap().len(), 3);
    let computes = call(&local, "ListCompute", json!({ "FleetId": "fleet-europe" })).await;
    let computes = computes["ComputeList"].as_array().unwrap();
    let seen: Vec<_> = computes
        .iter()
        .map(|compute| [&compute["ComputeName"], &compute["Location"], &compute["IpAddress"]])
        .collect();
    assert_eq!(
        json!(seen),
        json!([["frankfurt-1", "custom-frankfurt", "127.0.0.1"], ["paris-1", "custom-paris", "127.0.0.1"]])
    );
    let queues = call(&local, "DescribeGameSessionQueues", json!({})).await;
    let queue = &queues["GameSessionQueues"][0];
    assert_eq!(
        *queue,
        json!({
            "Name": "everywhere",
            "GameSessionQueueArn": "arn:aws:gamelift:eu-central-1:123456789012:gamesessionqueue/everywhere",
            "TimeoutInSeconds": 60,
            "CustomEventData": "ranked matches",
            "NotificationTarget": "arn:aws:sns:eu-central-1:123456789012:placements",
            "PlayerLatencyPolicies": [
                { "MaximumIndividualPlayerLatencyMilliseconds": 60, "PolicyDurationSeconds": 20 },
                { "MaximumIndividualPlayerLatencyMilliseconds": 120, "PolicyDurationSeconds": 20 },
            ],
            "Destinations": [
                { "DestinationArn": "arn:aws:gamelift:eu-central-1:123456789012:fleet/fleet-europe" },
                { "DestinationArn": "arn:aws:gamelift:eu-central-1:123456789012:fleet/fleet-america" },
            ],
            "FilterConfiguration":
                { "AllowedLocations": ["custom-frankfurt", "custom-paris", "custom-virginia"] },
            "PriorityConfiguration": {
                "PriorityOrder": ["LATENCY", "COST", "DESTINATION", "LOCATION"],
                "LocationOrder": ["custom-frankfurt", "custom-paris", "custom-virginia"],
            },
        })
    );
    let configurations = call(&local, "DescribeMatchmakingConfigurations", json!({})).await;
    let configuration = |name: &str| {
        let all = configurations["Configurations"].as_array().unwrap();
        all.iter().find(|one| one["Name"] == name).unwrap()
    };
    let ranked = configuration("ranked");
    assert_eq!(ranked["GameSessionQueueArns"], json!([queue["GameSessionQueueArn"]]));
    assert_eq!(
        ranked["GameProperties"],
        json!([{ "Key": "map", "Value": "harbour" }, { "Key": "mode", "Value": "ranked" }])
    );
    assert_eq!(ranked["NotificationTarget"], "arn:aws:sns:eu-central-1:123456789012:matches");
    assert_eq!(configuration("casual")["AdditionalPlayerCount"], 2);
    let elsewhere = configuration("ranked-elsewhere");
    assert_eq!(elsewhere["FlexMatchMode"], "STANDALONE");
    assert_eq!(elsewhere["AcceptanceTimeoutSeconds"], 20);
    let token = json!({ "FleetId": "fleet-america", "ComputeName": "virginia-1" });
    let token = call(&local, "GetComputeAuthToken", token).await;
    assert_eq!(token["AuthToken"], "token-of-virginia-1");
    let now = local.snapshot().await.unwrap().now.as_millis() as f64 / 1000.0;
    assert_eq!(token["ExpirationTimestamp"].as_f64().unwrap() - now, 86_400.0);
}

#[tokio::test(start_paused = true)]
async fn players_of_the_example_are_sent_where_their_latency_is_lowest() {
    let local = start(Setup::from_file(example()).unwrap()).await.unwrap();
    let mut server = local
        .attach("Authorization=token-of-paris-1&ComputeId=paris-1&FleetId=fleet-europe&pID=p")
        .await
        .unwrap();
    for (action, member, value) in [
        ("ActivateServerProcess", "Port", json!(7777)),
        ("HeartbeatServerProcess", "HealthStatus", json!(true)),
    ] {
        let request = json!({ "Action": action, "RequestId": action, member: value });
        server.to_service.send(request.to_string()).await.unwrap();
        server.from_service.recv().await.unwrap();
    }
    for player in ["ada", "bob"] {
        let latency = json!({ "custom-paris": 12, "custom-virginia": 95 });
        let players = json!([{ "PlayerId": player, "LatencyInMs": latency }]);
        call(&local, "StartMatchmaking", json!({ "ConfigurationName": "ranked", "Players": players })).await;
    }
    local.advance(std::time::Duration::from_secs(2)).await;
    let sessions = call(&local, "DescribeGameSessions", json!({ "FleetId": "fleet-europe" })).await;
    assert_eq!(sessions["GameSessions"][0]["Location"], "custom-paris");
}

#[tokio::test(start_paused = true)]
async fn json_says_the_same_as_toml() {
    let toml = r#"
        [[locations]]
        name = "custom-a"
        [[rule_sets]]
        name = "r"
        body = { ruleLanguageVersion = "1.0", teams = [{ name = "t", minPlayers = 2, maxPlayers = 2 }] }
    "#;
    let body = json!({
        "ruleLanguageVersion": "1.0", "teams": [{ "name": "t", "minPlayers": 2, "maxPlayers": 2 }],
    });
    let json = |body: Value| {
        json!({ "locations": [{ "name": "custom-a" }], "rule_sets": [{ "name": "r", "body": body }] })
            .to_string()
    };
    let setup = Setup::from_toml(toml).unwrap();
    assert_eq!(setup, Setup::from_json(&json(body.clone())).unwrap());
    start(setup).await.unwrap();
    let text = Setup::from_json(&json(json!(body.to_string()))).unwrap();
    start(text).await.expect("a rule set can also be text");
}

#[tokio::test(start_paused = true)]
async fn the_default_resources_can_be_kept_and_referred_to() {
    let setup = Setup::from_toml(
        r#"
        default_resources = true
        [[fleets]]
        name = "second"
        locations = ["custom-laptop"]
        [[queues]]
        name = "both"
        destinations = ["local", "second"]
        [[matchmaking_configurations]]
        name = "m"
        rule_set_name = "default"
        game_session_queue = "default"
        request_timeout_seconds = 5
        "#,
    );
    let local = start(setup.unwrap()).await.unwrap();
    assert_eq!(
        (local.defaults().location.as_str(), local.defaults().compute_name.as_str()),
        ("custom-laptop", "laptop"),
        "a server cannot connect to a fleet without computes"
    );
    let fleets = call(&local, "ListFleets", json!({})).await;
    assert_eq!(fleets["FleetIds"].as_array().unwrap().len(), 2);
    let local = start(Setup { default_resources: true, ..Setup::default() }).await.unwrap();
    assert_eq!(local.defaults().compute_name, "laptop");
    let local = start(Setup::default()).await.unwrap();
    assert_eq!(local.defaults().fleet_id, "");
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_is_said_with_place_rule_and_value() {
    const PLACES: &str = r#"
        [[locations]]
        name = "custom-paris"
        [[fleets]]
        name = "europe"
        locations = ["custom-paris"]
    "#;
    let matchmaking = |more: &str| {
        format!(
            "{PLACES}
            [[queues]]
            name = 'q'
            destinations = ['europe']
            [[rule_sets]]
            name = 'r'
            body.ruleLanguageVersion = '1.0'
            body.teams = [{{ name = 't', minPlayers = 2, maxPlayers = 2 }}]
            [[matchmaking_configurations]]
            name = 'm'
            {more}"
        )
    };
    for (text, expected) in [
        ("locations = [".to_owned(), &["line 1 column 14"][..]),
        ("loactions = []".to_owned(), &["line 1 column 1", "loactions", "`locations`"]),
        ("locations = [{ name = 3 }]".to_owned(), &["locations[0].name", "line 1 column 23", "expected a string"]),
        ("locations = [{ name = 'custom-a', becon = {} }]".to_owned(), &["locations[0]", "becon", "`beacon`"]),
        ("locations = [{ name = 'in-paris' }]".to_owned(), &["locations[0]", "'in-paris'", "^custom-"]),
        ("region = 'Frankfurt'".to_owned(), &["region: \"Frankfurt\"", "lower-case"]),
        ("account_id = '12'".to_owned(), &["account_id: \"12\"", "12 digits"]),
        ("token_ttl_seconds = 0".to_owned(), &["token_ttl_seconds: 0", "least is 1"]),
        (
            "locations = [{ name = 'custom-a', beacon.latency_ms = 9000 }]".to_owned(),
            &["locations[0].beacon.latency_ms: 9000", "5000"],
        ),
        (
            "fleets = [{ name = 'f', locations = ['custom-pairs'] }]\nlocations = [{ name = 'custom-paris' }]".to_owned(),
            &["fleets[0].locations[0]", "no location \"custom-pairs\"", "did you mean \"custom-paris\"?"],
        ),
        (
            format!("{PLACES}\ncomputes = [{{ name = 'c', location = 'custom-rome' }}]"),
            &["fleets[0].computes[0].location: there is no location of this fleet \"custom-rome\""],
        ),
        (
            format!("{PLACES}\ncomputes = [{{ name = 'c', location = 'custom-paris', auth_token = 'se cret' }}]"),
            &["fleets[0].computes[0].auth_token", "1 to 256 characters"],
        ),
        (
            format!("{PLACES}\ncomputes = [{{ name = 'c', auth_token = 'se cret', locatoin = 'custom-paris' }}]"),
            &["fleets[0].computes[0].locatoin: unknown field", "at line 8 column 51"],
        ),
        (format!("{PLACES}\nid = 'europe'"), &["fleets[0]", "'europe'", "fleet-"]),
        (
            format!("{PLACES}\n[[fleets]]\nname = 'europe'\nlocations = []"),
            &["fleets[1].name", "already"],
        ),
        (
            format!("{PLACES}\n[[queues]]\nname = 'q'\ndestinations = ['europe', 'eruope']"),
            &["queues[0].destinations[1]: there is no fleet \"eruope\"; did you mean \"europe\"?"],
        ),
        (
            format!("{PLACES}\n[[queues]]\nname = 'q'\ndestinations = []\ntimeout_in_seconds = 5"),
            &["queues[0]: InvalidRequestException", "'5' at 'timeoutInSeconds'", "equal to 10"],
        ),
        (
            format!(
                "{PLACES}\n[[queues]]\nname = 'q'\ndestinations = []\nfilter_configuration.allowed_locations = ['x']"
            ),
            &["queues[0].filter_configuration.allowed_locations[0]: there is no location \"x\""],
        ),
        (matchmaking(""), &["matchmaking_configurations[0]", "missing field", "rule_set_name"]),
        (
            matchmaking("rule_set_name = 'x'\nrequest_timeout_seconds = 5"),
            &["matchmaking_configurations[0].rule_set_name: there is no rule set \"x\"; did you mean \"r\"?"],
        ),
        (
            matchmaking("rule_set_name = 'r'\nrequest_timeout_seconds = 5\ngame_session_queue = 'qq'"),
            &["matchmaking_configurations[0].game_session_queue: there is no queue \"qq\"; did you mean \"q\"?"],
        ),
        (
            matchmaking("rule_set_name = 'r'\nrequest_timeout_seconds = 5"),
            &["matchmaking_configurations[0]: InvalidRequestException", "exactly one"],
        ),
        ("rule_sets = [{ name = 'r' }]".to_owned(), &["rule_sets[0]", "exactly one of path and body", "neither"]),
        ("rule_sets = [{ name = 'r', path = 'none.json' }]".to_owned(), &["cannot read none.json"]),
        (
            "rule_sets = [{ name = 'r', body = { ruleLanguageVersion = '1.0', teams = 'two' } }]".to_owned(),
            &["rule_sets[0].body: the rule set is not valid", "/teams"],
        ),
    ] {
        let message = refusal(&text).await;
        for part in expected {
            assert!(message.contains(part), "{part:?} is missing for\n{text}\nin:\n{message}");
        }
        assert!(!message.contains("se cret"), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_files_errors_name_the_file_and_a_rule_sets_own_line_and_column() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("setup");
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).unwrap();
        folder.join(name)
    };
    let file = write("with-rules.toml", "[[rule_sets]]\nname = 'r'\npath = 'rules.json'\n");
    let rules = write(
        "rules.json",
        "{\n  \"ruleLanguageVersion\": \"1.0\",\n  \"teams\": [{ \"name\": \"t\", \"minPlayers\": 1, \"maxPlayers\": 1 }],\n  \"rules\": [{ \"name\": \"x\", \"type\": \"telepathy\" }]\n}\n",
    );
    let error = start(Setup::from_file(&file).unwrap()).await.unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("{}: rule_sets[0].path: the rule set is not valid:", file.display())),
        "{error}"
    );
    assert!(error.contains(&format!("{}:4:", rules.display())), "{error}");
    assert!(error.contains("telepathy"), "{error}");

    let broken =
        write("broken.json", "{\n  \"queues\": [{ \"name\": \"q\", \"destinations\": \"europe\" }]\n}\n");
    let error = Setup::from_file(&broken).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}: queues[0].destinations: ", broken.display())), "{error}");
    assert!(error.contains("line 2 column 52"), "{error}");
    let error = Setup::from_file(write("setup.yaml", "")).unwrap_err().to_string();
    assert!(error.contains("setup.yaml must end in .toml or .json"), "{error}");
    let large = write("large.toml", &"# more\n".repeat(200_000));
    let error = Setup::from_file(large).unwrap_err().to_string();
    assert!(error.contains("large.toml is larger than 1048576 bytes"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_setup_can_be_written_in_code_and_a_debug_print_keeps_its_tokens() {
    use gamelift_local::setup::{Compute, Fleet, Location};
    let setup = Setup {
        locations: vec![Location { name: "custom-a".to_owned(), ..Location::default() }],
        fleets: vec![Fleet {
            name: "f".to_owned(),
            locations: vec!["custom-a".to_owned()],
            computes: vec![Compute {
                name: "c".to_owned(),
                location: "custom-a".to_owned(),
                auth_token: Some("hush".to_owned()),
                ..Compute::default()
            }],
            ..Fleet::default()
        }],
        ..Setup::default()
    };
    assert!(!format!("{setup:?}").contains("hush"));
    let local = start(setup).await.unwrap();
    let query = format!("Authorization=hush&ComputeId=c&FleetId={}&pID=p", local.defaults().fleet_id);
    local.attach(&query).await.expect("the token opens the door");
}
