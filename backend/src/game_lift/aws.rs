//! The port through the AWS SDK.

mod convert;
mod error;

use std::time::Duration;

use aws_sdk_gamelift::Client;
use aws_sdk_gamelift::config::timeout::TimeoutConfig;
use aws_sdk_gamelift::types::{
    AcceptanceType, DesiredPlayerSession, PlacementFallbackStrategy, PlayerLatency,
    PriorityConfigurationOverride,
};

use super::{Answer, GameLift, GameLiftError, MatchRequest, PlacementRequest, Report, Seat, Seeker};
use crate::caller::PlayerId;
use crate::service::Location;

/// What connecting may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// What one attempt may take. GameLift answers in a fraction of this; what is slower is lost.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(4);
/// What a call may take with the SDK's retries: less than the 10 s that API Gateway's and our clients give us.
pub const OPERATION_TIMEOUT: Duration = Duration::from_secs(8);
/// Pages of locations, of 200 each: AWS has fewer than 50 and an account may make 100 of its own.
const LOCATION_PAGES: usize = 10;
const LOCATIONS_A_PAGE: i32 = 200;

/// The timeouts that a client of GameLift should have: see the constants.
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build()
}

/// GameLift through the AWS SDK.
#[derive(Clone, Debug)]
pub struct AwsGameLift {
    client: Client,
}

impl AwsGameLift {
    /// With a client that has [`timeouts`].
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// A GameLift on this machine, over plain HTTP. Any credentials will do there.
    #[cfg(feature = "local")]
    pub fn local(endpoint: &str) -> Self {
        use aws_sdk_gamelift::config::{BehaviorVersion, Credentials, Region};
        let config = aws_sdk_gamelift::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-west-2"))
            .credentials_provider(Credentials::new("local", "local", None, None, "local"))
            .endpoint_url(endpoint)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .timeout_config(timeouts())
            .build();
        Self::new(Client::from_conf(config))
    }
}

impl GameLift for AwsGameLift {
    fn start_matchmaking(&self, request: MatchRequest) -> Answer<'_, ()> {
        let call = self
            .client
            .start_matchmaking()
            .ticket_id(request.ticket_id)
            .configuration_name(request.configuration)
            .set_players(Some(request.players.into_iter().map(convert::player).collect()));
        Box::pin(async move { call.send().await.map(drop).map_err(|error| error::of(&error)) })
    }

    fn describe_matchmaking<'a>(&'a self, ticket_id: &'a str) -> Answer<'a, Option<Report>> {
        Box::pin(async move {
            let answer = self.client.describe_matchmaking().ticket_ids(ticket_id).send().await;
            let answer = match answer.map_err(|error| error::of(&error)) {
                Err(GameLiftError::NotFound(_)) => return Ok(None),
                answer => answer?,
            };
            Ok(answer
                .ticket_list()
                .iter()
                .find(|ticket| ticket.ticket_id() == Some(ticket_id))
                .map(convert::ticket))
        })
    }

    fn stop_matchmaking<'a>(&'a self, ticket_id: &'a str) -> Answer<'a, ()> {
        let call = self.client.stop_matchmaking().ticket_id(ticket_id);
        Box::pin(async move { call.send().await.map(drop).map_err(|error| error::of(&error)) })
    }

    fn accept_match<'a>(&'a self, ticket_id: &'a str, player: &'a PlayerId, accept: bool) -> Answer<'a, ()> {
        let kind = if accept { AcceptanceType::Accept } else { AcceptanceType::Reject };
        let call =
            self.client.accept_match().ticket_id(ticket_id).player_ids(player.as_str()).acceptance_type(kind);
        Box::pin(async move { call.send().await.map(drop).map_err(|error| error::of(&error)) })
    }

    fn start_placement(&self, request: PlacementRequest) -> Answer<'_, ()> {
        let mut call = self
            .client
            .start_game_session_placement()
            .placement_id(request.ticket_id)
            .game_session_queue_name(request.queue)
            .maximum_player_session_count(request.max_players.into());
        for Seeker { player, latencies, .. } in request.players {
            call = call
                .desired_player_sessions(DesiredPlayerSession::builder().player_id(player.as_str()).build());
            // GameLift refuses latencies together with an order of locations.
            for (location, latency) in latencies.into_iter().filter(|_| request.location.is_none()) {
                let latency = PlayerLatency::builder()
                    .player_id(player.as_str())
                    .region_identifier(location)
                    // Milliseconds up to 10,000 are exact.
                    .latency_in_milliseconds(latency as f32);
                call = call.player_latencies(latency.build());
            }
        }
        if let Some(location) = request.location {
            let only = PriorityConfigurationOverride::builder()
                .location_order(location)
                .placement_fallback_strategy(PlacementFallbackStrategy::None);
            call = call.priority_configuration_override(only.build());
        }
        Box::pin(async move { call.send().await.map(drop).map_err(|error| error::of(&error)) })
    }

    fn describe_placement<'a>(&'a self, ticket_id: &'a str) -> Answer<'a, Option<Report>> {
        let call = self.client.describe_game_session_placement().placement_id(ticket_id);
        Box::pin(async move {
            match call.send().await.map_err(|error| error::of(&error)) {
                Err(GameLiftError::NotFound(_)) => Ok(None),
                answer => Ok(answer?.game_session_placement().map(convert::placement)),
            }
        })
    }

    fn stop_placement<'a>(&'a self, ticket_id: &'a str) -> Answer<'a, ()> {
        let call = self.client.stop_game_session_placement().placement_id(ticket_id);
        Box::pin(async move { call.send().await.map(drop).map_err(|error| error::of(&error)) })
    }

    fn seat<'a>(&'a self, player_session_id: &'a str) -> Answer<'a, Option<Seat>> {
        let call = self.client.describe_player_sessions().player_session_id(player_session_id);
        Box::pin(async move {
            match call.send().await.map_err(|error| error::of(&error)) {
                Err(GameLiftError::NotFound(_)) => Ok(None),
                answer => Ok(answer?.player_sessions().first().and_then(convert::seat)),
            }
        })
    }

    fn take_seat<'a>(&'a self, game_session_id: &'a str, player: &'a PlayerId) -> Answer<'a, Seat> {
        let call =
            self.client.create_player_session().game_session_id(game_session_id).player_id(player.as_str());
        Box::pin(async move {
            let answer = call.send().await.map_err(|error| error::of(&error))?;
            let seat = answer.player_session().and_then(convert::seat);
            seat.ok_or_else(|| GameLiftError::Unclear("a player session without an id".to_owned()))
        })
    }

    fn locations(&self) -> Answer<'_, Vec<Location>> {
        Box::pin(async move {
            let mut found = Vec::new();
            let mut next = None;
            for _ in 0..LOCATION_PAGES {
                let call = self.client.list_locations().limit(LOCATIONS_A_PAGE).set_next_token(next);
                let answer = call.send().await.map_err(|error| error::of(&error))?;
                found.extend(answer.locations().iter().filter_map(convert::location));
                next = answer.next_token;
                if next.is_none() {
                    return Ok(found);
                }
            }
            tracing::warn!(found = found.len(), "GameLift has more locations than the backend reads");
            Ok(found)
        })
    }
}
