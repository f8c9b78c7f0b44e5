//! The real `aws-sdk-gamelift`, which speaks Smithy RPC v2 CBOR, against the local GameLift: results and typed errors.
#![cfg(test)]

use aws_sdk_gamelift::Client;
use aws_sdk_gamelift::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_gamelift::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_gamelift::operation::create_game_session::CreateGameSessionError;
use aws_sdk_gamelift::operation::describe_compute::DescribeComputeError;
use aws_sdk_gamelift::operation::register_compute::RegisterComputeError;
use aws_sdk_gamelift::types::{ComputeType, FleetStatus, LocationConfiguration, LocationFilter};
use gamelift_local::{Config, Local};

async fn start() -> (Local, Client) {
    let local = Local::start(Config::on_free_ports()).await.unwrap();
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
