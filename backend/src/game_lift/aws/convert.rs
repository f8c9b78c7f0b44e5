//! Between the SDK's types and the port's.

use std::collections::BTreeMap;

use aws_sdk_gamelift::types::{
    AttributeValue, GameSessionPlacement, GameSessionPlacementState, LocationModel,
    MatchmakingConfigurationStatus, MatchmakingTicket, Player, PlayerSession, PlayerSessionStatus,
};

use crate::caller::PlayerId;
use crate::game_lift::{Attribute, Place, Report, Seat, SeatStatus, Seeker};
use crate::service::{Beacon, Location};
use crate::ticket::{Endpoint, Status};

pub(super) fn player(seeker: Seeker) -> Player {
    let mut player = Player::builder().player_id(seeker.player.as_str());
    for (name, value) in seeker.attributes {
        player = player.player_attributes(name, attribute(value));
    }
    for (location, latency) in seeker.latencies {
        player = player.latency_in_ms(location, i32::try_from(latency).unwrap_or(i32::MAX));
    }
    player.build()
}

fn attribute(value: Attribute) -> AttributeValue {
    let builder = AttributeValue::builder();
    match value {
        Attribute::Number(number) => builder.n(number).build(),
        Attribute::Text(text) => builder.s(text).build(),
        Attribute::List(list) => builder.set_sl(Some(list)).build(),
        Attribute::Map(map) => builder.set_sdm(Some(map.into_iter().collect())).build(),
    }
}

pub(super) fn ticket(ticket: &MatchmakingTicket) -> Report {
    let status = match ticket.status() {
        Some(MatchmakingConfigurationStatus::Searching) => Status::Searching,
        Some(MatchmakingConfigurationStatus::RequiresAcceptance) => Status::RequiresAcceptance,
        Some(MatchmakingConfigurationStatus::Placing) => Status::Placing,
        Some(MatchmakingConfigurationStatus::Completed) => Status::Succeeded,
        Some(MatchmakingConfigurationStatus::Failed) => Status::Failed,
        Some(MatchmakingConfigurationStatus::Cancelled) => Status::Cancelled,
        Some(MatchmakingConfigurationStatus::TimedOut) => Status::TimedOut,
        // Queued, or something newer than this SDK: known to GameLift, and no more than that.
        _ => Status::Requested,
    };
    let info = ticket.game_session_connection_info();
    let sessions = info.map(|info| info.matched_player_sessions()).unwrap_or_default();
    let pairs = sessions.iter().map(|session| (session.player_id(), session.player_session_id()));
    let teams = ticket.players().iter().map(|player| (player.player_id(), player.team()));
    Report {
        status,
        estimated_wait_ms: ticket
            .estimated_wait_time()
            .and_then(|wait| u64::try_from(wait).ok())
            .map(|wait| wait * 1000),
        reason: ticket.status_message().or(ticket.status_reason()).map(str::to_owned),
        place: info
            .and_then(|info| place(info.game_session_arn(), info.ip_address(), info.dns_name(), info.port())),
        teams: by_player(teams),
        seats: by_player(pairs),
    }
}

pub(super) fn placement(placement: &GameSessionPlacement) -> Report {
    let status = match placement.status() {
        Some(GameSessionPlacementState::Fulfilled) => Status::Succeeded,
        Some(GameSessionPlacementState::Cancelled) => Status::Cancelled,
        Some(GameSessionPlacementState::TimedOut) => Status::TimedOut,
        Some(GameSessionPlacementState::Failed) => Status::Failed,
        _ => Status::Placing,
    };
    let pairs = placement.placed_player_sessions().iter();
    Report {
        status,
        estimated_wait_ms: None,
        reason: placement.status().map(|status| format!("placement {}", status.as_str())),
        place: place(
            placement.game_session_arn(),
            placement.ip_address(),
            placement.dns_name(),
            placement.port(),
        ),
        teams: BTreeMap::new(),
        seats: by_player(pairs.map(|session| (session.player_id(), session.player_session_id()))),
    }
}

fn by_player<'a>(
    pairs: impl Iterator<Item = (Option<&'a str>, Option<&'a str>)>,
) -> BTreeMap<PlayerId, String> {
    pairs.filter_map(|(player, value)| Some((PlayerId::new(player?), value?.to_owned()))).collect()
}

fn place(arn: Option<&str>, ip: Option<&str>, dns: Option<&str>, port: Option<i32>) -> Option<Place> {
    Some(Place {
        game_session_id: arn?.to_owned(),
        endpoint: Endpoint {
            ip: ip?.to_owned(),
            dns_name: dns.filter(|name| !name.is_empty()).map(str::to_owned),
            port: u16::try_from(port?).ok()?,
        },
    })
}

pub(super) fn seat(session: &PlayerSession) -> Option<Seat> {
    let status = match session.status()? {
        PlayerSessionStatus::Reserved => SeatStatus::Reserved,
        PlayerSessionStatus::Active => SeatStatus::Active,
        _ => SeatStatus::Over,
    };
    let created_at = session.creation_time().and_then(|time| time.to_millis().ok());
    Some(Seat {
        player_session_id: session.player_session_id()?.to_owned(),
        status,
        created_at: created_at.and_then(|time| u64::try_from(time).ok()).unwrap_or_default(),
    })
}

pub(super) fn location(location: &LocationModel) -> Option<Location> {
    let endpoint = location.ping_beacon().and_then(|beacon| beacon.udp_endpoint());
    let beacon = endpoint.and_then(|endpoint| {
        Some(Beacon { domain: endpoint.domain()?.to_owned(), port: u16::try_from(endpoint.port()?).ok()? })
    });
    Some(Location { location: location.location_name()?.to_owned(), beacon })
}
