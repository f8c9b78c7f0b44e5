//! The real `aws-sdk-gamelift`, which speaks Smithy RPC v2 CBOR, against the local GameLift: results and typed errors.
#![cfg(test)]

use aws_sdk_gamelift::Client;
use aws_sdk_gamelift::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_gamelift::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_gamelift::operation::create_game_session::CreateGameSessionError;
use aws_sdk_gamelift::operation::describe_compute::DescribeComputeError;
use aws_sdk_gamelift::operation::register_compute::RegisterComputeError;
use aws_sdk_gamelift::operation::start_matchmaking::StartMatchmakingError;
use aws_sdk_gamelift::types::{
    AcceptanceType, AttributeValue, ComputeType, FleetStatus, FlexMatchMode, LocationConfiguration,
    LocationFilter, MatchmakingConfigurationStatus as TicketStatus, MatchmakingTicket, Player,
};
use gamelift_local::{Clock, Config, Local};

async fn start() -> (Local, Client) {
    start_with(Config::on_free_ports()).await
}

async fn start_with(config: Config) -> (Local, Client) {
    let local = Local::start(config).await.unwrap();
    let config = aws_sdk_gamelift::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-west-2"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .endpoint_url(local.api_endpoint())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    (local, Client::from_conf(config))
}

async fn anywhere_fleet(aws: &Client) -> String {
    aws.create_location().location_name("custom-desk").send().await.unwrap();
    let location = LocationConfiguration::builder().location("custom-desk").build();
    let fleet =
        aws.create_fleet().name("desk").compute_type(ComputeType::Anywhere).locations(location).send().await;
    let attributes = fleet.unwrap().fleet_attributes.unwrap();
    assert_eq!(attributes.status, Some(FleetStatus::Active));
    assert_eq!(attributes.compute_type, Some(ComputeType::Anywhere));
    assert!(attributes.creation_time.unwrap().secs() > 1_600_000_000, "times survive CBOR");
    attributes.fleet_id.unwrap()
}

#[tokio::test]
async fn location_fleet_compute_and_token_are_made_and_read_back() {
    let (local, aws) = start().await;
    let fleet = anywhere_fleet(&aws).await;
    let registered = aws
        .register_compute()
        .fleet_id(&fleet)
        .compute_name("desk-1")
        .location("custom-desk")
        .ip_address("10.1.2.3")
        .send()
        .await;
    let compute = registered.unwrap().compute.unwrap();
    assert_eq!(compute.game_lift_service_sdk_endpoint.as_deref(), Some(local.sdk_endpoint()));
    // Mixed case and outside of the enum, as on AWS.
    assert_eq!(compute.compute_status.unwrap().as_str(), "Active");
    let token = aws.get_compute_auth_token().fleet_id(&fleet).compute_name("desk-1").send().await.unwrap();
    assert_eq!(token.auth_token.as_ref().map(String::len), Some(36));
    assert!(token.expiration_timestamp.is_some());

    let described = aws.describe_compute().fleet_id(&fleet).compute_name("desk-1").send().await.unwrap();
    assert_eq!(described.compute.unwrap().ip_address.as_deref(), Some("10.1.2.3"));
    let listed = aws.list_compute().fleet_id(&fleet).send().await.unwrap();
    assert_eq!(listed.compute_list.unwrap_or_default().len(), 1);
    let fleets = aws.list_fleets().send().await.unwrap().fleet_ids.unwrap_or_default();
    assert!(fleets.contains(&fleet));
    let custom = aws.list_locations().filters(LocationFilter::Custom).send().await.unwrap();
    let names: Vec<_> =
        custom.locations.unwrap_or_default().into_iter().filter_map(|it| it.location_name).collect();
    assert!(names.contains(&"custom-desk".to_owned()), "{names:?}");
    local.shutdown().await;
}

#[tokio::test]
async fn errors_arrive_as_the_types_the_sdk_has_for_them() {
    let (local, aws) = start().await;
    let fleet = anywhere_fleet(&aws).await;

    let unknown = aws.describe_compute().fleet_id(&fleet).compute_name("nobody").send().await.unwrap_err();
    let unknown = unknown.into_service_error();
    assert!(matches!(unknown, DescribeComputeError::NotFoundException(_)), "{unknown:?}");
    assert!(unknown.message().is_some_and(|text| text.contains("nobody")), "{unknown:?}");

    let nowhere =
        aws.register_compute().fleet_id("fleet-00000000-0000-4000-8000-000000000000").compute_name("c");
    let nowhere = nowhere.location("custom-desk").ip_address("10.0.0.1").send().await.unwrap_err();
    // RegisterCompute has no NotFoundException in its model.
    assert!(matches!(nowhere.into_service_error(), RegisterComputeError::InvalidRequestException(_)));

    let full =
        aws.create_game_session().fleet_id(&fleet).location("custom-desk").maximum_player_session_count(2);
    let full = full.send().await.unwrap_err().into_service_error();
    assert!(matches!(full, CreateGameSessionError::FleetCapacityExceededException(_)), "{full:?}");
    assert_eq!(full.message(), Some(format!("Unable to reserve a process on fleet {fleet}").as_str()));
    local.shutdown().await;
}

#[tokio::test]
async fn an_operation_that_is_not_there_is_never_a_fake_success() {
    let (local, aws) = start().await;
    let error = aws.list_builds().send().await.unwrap_err();
    let SdkError::ServiceError(response) = &error else { panic!("{error:?}") };
    assert_eq!(response.raw().status().as_u16(), 404);
    assert_eq!(error.code(), Some("UnknownOperationException"));
    local.shutdown().await;
}

/// A configuration without game sessions, whose matches have to be accepted.
async fn standalone(aws: &Client) {
    let rules = r#"{
        "ruleLanguageVersion": "1.0",
        "playerAttributes": [
            { "name": "skill", "type": "number" },
            { "name": "modes", "type": "string_list" },
            { "name": "maps", "type": "string_number_map" }
        ],
        "teams": [{ "name": "duel", "minPlayers": 2, "maxPlayers": 2 }],
        "rules": [{
            "name": "LikeSkill", "type": "batchDistance", "batchAttribute": "skill", "maxDistance": 10
        }]
    }"#;
    aws.create_matchmaking_rule_set().name("duel").rule_set_body(rules).send().await.unwrap();
    let made = aws
        .create_matchmaking_configuration()
        .name("duel")
        .rule_set_name("duel")
        .flex_match_mode(FlexMatchMode::Standalone)
        .acceptance_required(true)
        .acceptance_timeout_seconds(30)
        .request_timeout_seconds(60)
        .send()
        .await;
    assert_eq!(made.unwrap().configuration.unwrap().acceptance_timeout_seconds, Some(30));
}

fn duellist(name: &str, skill: f64) -> Player {
    Player::builder()
        .player_id(name)
        .player_attributes("skill", AttributeValue::builder().n(skill).build())
        .player_attributes("modes", AttributeValue::builder().sl("ranked").sl("casual").build())
        .player_attributes("maps", AttributeValue::builder().sdm("desert", 0.5).build())
        .build()
}

async fn ticket(aws: &Client, id: &str) -> MatchmakingTicket {
    let described = aws.describe_matchmaking().ticket_ids(id).send().await.unwrap();
    described.ticket_list.unwrap_or_default().remove(0)
}

#[tokio::test]
async fn a_match_is_asked_for_proposed_and_accepted() {
    let config = Config { clock: Clock::Manual, ..Config::on_free_ports() };
    let (local, aws) = start_with(config).await;
    standalone(&aws).await;
    for (name, skill) in [("ada", 20.0), ("bob", 29.5)] {
        let started = aws
            .start_matchmaking()
            .configuration_name("duel")
            .ticket_id(name)
            .players(duellist(name, skill))
            .send()
            .await;
        assert_eq!(started.unwrap().matchmaking_ticket.unwrap().status, Some(TicketStatus::Queued));
    }
    local.advance(std::time::Duration::from_secs(2)).await;
    let proposed = ticket(&aws, "ada").await;
    assert_eq!(proposed.status, Some(TicketStatus::RequiresAcceptance));
    // The attributes came through both ways as they were.
    let sent = duellist("ada", 20.0);
    assert_eq!(proposed.players()[0].player_attributes, sent.player_attributes);

    for name in ["ada", "bob"] {
        aws.accept_match()
            .ticket_id(name)
            .player_ids(name)
            .acceptance_type(AcceptanceType::Accept)
            .send()
            .await
            .unwrap();
    }
    local.advance(std::time::Duration::from_secs(2)).await;
    let done = ticket(&aws, "bob").await;
    assert_eq!(done.status, Some(TicketStatus::Completed));
    assert_eq!(done.players()[0].team.as_deref(), Some("duel"));
    assert!(done.end_time > done.start_time);
    assert!(done.game_session_connection_info.is_none(), "a STANDALONE match has no game session");
    local.shutdown().await;
}

#[tokio::test]
async fn a_request_for_a_match_that_cannot_be_is_refused_with_a_reason() {
    let (local, aws) = start().await;
    standalone(&aws).await;
    let ask = |configuration: &str, player: Player| {
        aws.start_matchmaking().configuration_name(configuration).players(player).send()
    };
    let unknown = ask("nowhere", duellist("ada", 1.0)).await.unwrap_err().into_service_error();
    assert!(matches!(unknown, StartMatchmakingError::NotFoundException(_)), "{unknown:?}");
    let skill = AttributeValue::builder().s("high").build();
    let mistyped = Player::builder().player_id("ada").player_attributes("skill", skill).build();
    let mistyped = ask("duel", mistyped).await.unwrap_err().into_service_error();
    assert!(matches!(mistyped, StartMatchmakingError::InvalidRequestException(_)), "{mistyped:?}");
    assert!(mistyped.message().is_some_and(|text| text.contains("skill")), "{mistyped:?}");
    let instant = Player::builder().player_id("ada").latency_in_ms("us-west-2", 0).build();
    let instant = ask("duel", instant).await.unwrap_err().into_service_error();
    assert!(matches!(instant, StartMatchmakingError::InvalidRequestException(_)), "{instant:?}");
    local.shutdown().await;
}
