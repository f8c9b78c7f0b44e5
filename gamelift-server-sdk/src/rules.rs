//! What a call may carry, checked before anything is sent.
//!
//! The rules are those of the Go SDK 5.6.0 and the C# SDK 5.5.1 (C++ SDK 5.4.0 lets nearly everything through), with two
//! that would refuse what AWS allows widened: a role's name may hold what IAM allows, `_` above all, and a matchmaking
//! configuration may be in the GovCloud partition.
//!
//! | field | rule |
//! |---|---|
//! | `PlayerSessionId` to accept or remove | 1 to 256 of `[A-Za-z0-9.-]` |
//! | `DescribePlayerSessions`: `GameSessionId` | 1 to 256 of `[A-Za-z0-9:/-]` |
//! | ... `PlayerId`, `PlayerSessionId` | 1 to 1,024 characters |
//! | ... `PlayerSessionStatusFilter` | `RESERVED`, `ACTIVE`, `COMPLETED` or `TIMEDOUT` |
//! | ... exactly one id | the type [`PlayerSessionQuery`](crate::PlayerSessionQuery) sees to it |
//! | `StartMatchBackfill`: `GameSessionArn` | 1 to 256 of `[A-Za-z0-9:/-]` |
//! | ... `Players` | at least one |
//! | `StopMatchBackfill`: `GameSessionArn`, both: `MatchmakingConfigurationArn` | `arn:<partition>:gamelift:<region>:<account>:<kind>/<name>` |
//! | `TicketId` | at most 128 of `[A-Za-z0-9.-]`; to stop, at least one |
//! | `RoleArn` | 1 to 256 of `[A-Za-z0-9:/-]` and IAM's `_+=,.@` |
//! | `RoleSessionName` | 2 to 64 of `[A-Za-z0-9_+=,.@-]` |
//! | `PlayerSessionPolicy` | `ACCEPT_ALL` or `DENY_ALL` |
//!
//! Ports and log paths are [`Ready`](crate::Ready)'s, ids of fleet, host and process [`Config`](crate::Config)'s.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use gamelift_wire::ids::PlayerSessionId;
use gamelift_wire::model::{PlayerSessionCreationPolicy, PlayerSessionStatus};
use gamelift_wire::requests::{
    DescribePlayerSessions, GetFleetRoleCredentials, Request, StartMatchBackfill, StopMatchBackfill,
};

/// How much of a refused value an error repeats.
const VALUE_SHOWN_MAX: usize = 80;

const SESSION_RULE: &str = "1 to 256 characters of [A-Za-z0-9:/-]";
const ARN_RULE: &str = "an ARN such as arn:aws:gamelift:us-west-2:123456789012:matchmakingconfiguration/name";

/// An argument that the service would refuse; nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} must be {rule}, not {value:?}")]
#[non_exhaustive]
pub struct InvalidArgument {
    /// The field, by its name on the wire.
    pub field: &'static str,
    /// What is allowed.
    pub rule: &'static str,
    /// What was given, cut short; `..` for a player session id, which is a secret.
    pub value: String,
}

impl InvalidArgument {
    fn new(field: &'static str, rule: &'static str, value: &str) -> Self {
        Self { field, rule, value: value.chars().take(VALUE_SHOWN_MAX).collect() }
    }
}

type Checked = Result<(), InvalidArgument>;

/// Checks a request before it is sent.
pub(crate) fn check(request: &Request) -> Checked {
    match request {
        Request::AcceptPlayerSession(player) | Request::RemovePlayerSession(player) => {
            player_session_id(&player.player_session_id)
        }
        Request::UpdatePlayerSessionCreationPolicy(update) => match &update.policy {
            PlayerSessionCreationPolicy::AcceptAll | PlayerSessionCreationPolicy::DenyAll => Ok(()),
            other => {
                Err(InvalidArgument::new("PlayerSessionPolicy", "ACCEPT_ALL or DENY_ALL", other.as_str()))
            }
        },
        Request::DescribePlayerSessions(describe) => describe_player_sessions(describe),
        Request::StartMatchBackfill(start) => start_match_backfill(start),
        Request::StopMatchBackfill(stop) => stop_match_backfill(stop),
        Request::GetFleetRoleCredentials(get) => fleet_role_credentials(get),
        _ => Ok(()),
    }
}

fn player_session_id(id: &PlayerSessionId) -> Checked {
    let rule = "1 to 256 characters of [A-Za-z0-9.-]";
    match id.as_str().parse::<PlayerSessionId>() {
        Ok(_) => Ok(()),
        Err(_) => Err(InvalidArgument::new("PlayerSessionId", rule, "..")),
    }
}

fn describe_player_sessions(describe: &DescribePlayerSessions) -> Checked {
    let text_rule = "1 to 1024 characters";
    if let Some(id) = &describe.game_session_id {
        session("GameSessionId", id)?;
    }
    if let Some(id) = &describe.player_session_id
        && !(1..=1024).contains(&id.as_str().len())
    {
        return Err(InvalidArgument::new("PlayerSessionId", text_rule, ".."));
    }
    if let Some(id) = &describe.player_id
        && !(1..=1024).contains(&id.chars().count())
    {
        return Err(InvalidArgument::new("PlayerId", text_rule, id));
    }
    match &describe.player_session_status_filter {
        None
        | Some(
            PlayerSessionStatus::Reserved
            | PlayerSessionStatus::Active
            | PlayerSessionStatus::Completed
            | PlayerSessionStatus::TimedOut,
        ) => Ok(()),
        Some(other) => Err(InvalidArgument::new(
            "PlayerSessionStatusFilter",
            "RESERVED, ACTIVE, COMPLETED or TIMEDOUT",
            other.as_str(),
        )),
    }
}

fn start_match_backfill(start: &StartMatchBackfill) -> Checked {
    session("GameSessionArn", start.game_session_arn.as_str())?;
    gamelift_arn("MatchmakingConfigurationArn", &start.matchmaking_configuration_arn)?;
    if let Some(ticket) = &start.ticket_id {
        ticket_id(ticket)?;
    }
    if start.players.is_empty() {
        return Err(InvalidArgument::new("Players", "at least one player", ""));
    }
    Ok(())
}

fn stop_match_backfill(stop: &StopMatchBackfill) -> Checked {
    gamelift_arn("GameSessionArn", stop.game_session_arn.as_str())?;
    gamelift_arn("MatchmakingConfigurationArn", &stop.matchmaking_configuration_arn)?;
    if stop.ticket_id.is_empty() {
        return Err(InvalidArgument::new("TicketId", "what start_backfill returned", ""));
    }
    ticket_id(&stop.ticket_id)
}

fn fleet_role_credentials(get: &GetFleetRoleCredentials) -> Checked {
    let in_arn = |c: char| c.is_ascii_alphanumeric() || ":/-_+=,.@".contains(c);
    let arn = &get.role_arn;
    if !(1..=256).contains(&arn.len()) || !arn.chars().all(in_arn) {
        return Err(InvalidArgument::new("RoleArn", "1 to 256 characters of [A-Za-z0-9:/_+=,.@-]", arn));
    }
    let in_name = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    match &get.role_session_name {
        Some(name) if !(2..=64).contains(&name.len()) || !name.chars().all(in_name) => {
            Err(InvalidArgument::new("RoleSessionName", "2 to 64 characters of [A-Za-z0-9_+=,.@-]", name))
        }
        _ => Ok(()),
    }
}

fn session(field: &'static str, id: &str) -> Checked {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '/' | '-');
    if (1..=256).contains(&id.len()) && id.chars().all(allowed) {
        return Ok(());
    }
    Err(InvalidArgument::new(field, SESSION_RULE, id))
}

fn ticket_id(id: &str) -> Checked {
    if id.len() <= 128 && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')) {
        return Ok(());
    }
    Err(InvalidArgument::new("TicketId", "at most 128 characters of [A-Za-z0-9.-]", id))
}

/// `^arn:(aws|aws-cn|aws-us-gov):gamelift:([a-z]{2}(-[a-z]+)+-\d):(\d{12})?:([a-z]+)\/(.+)$`
fn gamelift_arn(field: &'static str, arn: &str) -> Checked {
    let lower = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase());
    let region = |text: &str| {
        let parts: Vec<&str> = text.split('-').collect();
        match &parts[..] {
            [country, words @ .., number] => {
                country.len() == 2
                    && lower(country)
                    && !words.is_empty()
                    && words.iter().all(|word| lower(word))
                    && number.len() == 1
                    && number.bytes().all(|b| b.is_ascii_digit())
            }
            _ => false,
        }
    };
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let good = match &parts[..] {
        ["arn", "aws" | "aws-cn" | "aws-us-gov", "gamelift", place, account, resource] => {
            region(place)
                && (account.is_empty() || account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()))
                && resource.split_once('/').is_some_and(|(kind, name)| lower(kind) && !name.is_empty())
        }
        _ => false,
    };
    if good { Ok(()) } else { Err(InvalidArgument::new(field, ARN_RULE, arn)) }
}

#[cfg(test)]
mod tests {
    use gamelift_wire::ids::GameSessionId;
    use gamelift_wire::requests::{BackfillPlayer, PlayerSessionRequest, UpdatePlayerSessionCreationPolicy};

    use super::*;

    const SESSION: &str = "arn:aws:gamelift:us-west-2::gamesession/fleet-1/gsess-1";
    const MATCHMAKER: &str = "arn:aws:gamelift:us-west-2:123456789012:matchmakingconfiguration/My_Matchmaker";

    fn refused(request: &Request) -> (&'static str, String) {
        let error = check(request).expect_err("a rule is broken");
        assert!(error.to_string().contains(error.field) && error.to_string().contains(error.rule), "{error}");
        (error.field, error.value)
    }

    fn player(id: &str) -> PlayerSessionRequest {
        PlayerSessionRequest {
            player_session_id: PlayerSessionId::new_unchecked(id),
            ..PlayerSessionRequest::default()
        }
    }

    fn describe() -> DescribePlayerSessions {
        DescribePlayerSessions::default()
    }

    fn start() -> StartMatchBackfill {
        StartMatchBackfill {
            game_session_arn: GameSessionId::new_unchecked(SESSION),
            matchmaking_configuration_arn: MATCHMAKER.into(),
            ticket_id: None,
            players: vec![BackfillPlayer::default()],
        }
    }

    fn stop() -> StopMatchBackfill {
        StopMatchBackfill {
            game_session_arn: GameSessionId::new_unchecked(SESSION),
            matchmaking_configuration_arn: MATCHMAKER.into(),
            ticket_id: "ticket-1".into(),
        }
    }

    #[test]
    fn a_player_session_id_has_1_to_256_letters_digits_dots_and_dashes_and_is_never_repeated() {
        let longest = "p".repeat(256);
        for good in ["psess-1", "a.b-C9", &longest] {
            assert_eq!(check(&Request::AcceptPlayerSession(player(good))), Ok(()));
            assert_eq!(check(&Request::RemovePlayerSession(player(good))), Ok(()));
        }
        for bad in ["", "psess 1", "psess_1", "psess/1", "ä", &"p".repeat(257)] {
            let expected = ("PlayerSessionId", "..".to_owned());
            assert_eq!(refused(&Request::AcceptPlayerSession(player(bad))), expected, "{bad:?}");
            assert_eq!(refused(&Request::RemovePlayerSession(player(bad))), expected, "{bad:?}");
        }
    }

    #[test]
    fn a_creation_policy_is_one_of_two() {
        let request = |policy| {
            Request::UpdatePlayerSessionCreationPolicy(UpdatePlayerSessionCreationPolicy {
                game_session_id: GameSessionId::new_unchecked(SESSION),
                policy,
            })
        };
        assert_eq!(check(&request(PlayerSessionCreationPolicy::AcceptAll)), Ok(()));
        assert_eq!(check(&request(PlayerSessionCreationPolicy::DenyAll)), Ok(()));
        assert_eq!(refused(&request(PlayerSessionCreationPolicy::NotSet)).0, "PlayerSessionPolicy");
    }

    #[test]
    fn a_game_session_to_describe_has_at_most_256_characters_of_an_arn() {
        let request = |id: &str| {
            Request::DescribePlayerSessions(DescribePlayerSessions {
                game_session_id: Some(id.into()),
                ..describe()
            })
        };
        assert_eq!(check(&request(SESSION)), Ok(()));
        for bad in ["", "arn aws", "arn:a_b", &"a".repeat(257)] {
            assert_eq!(refused(&request(bad)).0, "GameSessionId", "{bad:?}");
        }
    }

    #[test]
    fn players_to_describe_have_at_most_1024_characters() {
        let by_player = |id: String| {
            Request::DescribePlayerSessions(DescribePlayerSessions { player_id: Some(id), ..describe() })
        };
        let by_session = |id: String| {
            let player_session_id = Some(PlayerSessionId::new_unchecked(id));
            Request::DescribePlayerSessions(DescribePlayerSessions { player_session_id, ..describe() })
        };
        assert_eq!(check(&by_player("any text, even ä".into())), Ok(()));
        assert_eq!(check(&by_player("p".repeat(1024))), Ok(()));
        assert_eq!(refused(&by_player("p".repeat(1025))).0, "PlayerId");
        assert_eq!(refused(&by_player(String::new())).0, "PlayerId");
        assert_eq!(check(&by_session("p".repeat(1024))), Ok(()));
        assert_eq!(refused(&by_session("p".repeat(1025))), ("PlayerSessionId", "..".to_owned()));
    }

    #[test]
    fn a_status_to_filter_by_is_one_of_four() {
        let request = |status| {
            let player_session_status_filter = Some(status);
            Request::DescribePlayerSessions(DescribePlayerSessions {
                player_session_status_filter,
                ..describe()
            })
        };
        for good in ["RESERVED", "ACTIVE", "COMPLETED", "TIMEDOUT"] {
            assert_eq!(check(&request(PlayerSessionStatus::from(good))), Ok(()), "{good}");
        }
        for bad in ["NOT_SET", "active", "GONE"] {
            let value = refused(&request(PlayerSessionStatus::from(bad)));
            assert_eq!(value, ("PlayerSessionStatusFilter", bad.to_owned()));
        }
    }

    #[test]
    fn a_backfill_names_a_session_a_matchmaker_and_somebody_who_plays() {
        let check_start = |change: fn(&mut StartMatchBackfill)| {
            let mut request = start();
            change(&mut request);
            check(&Request::StartMatchBackfill(request)).map_err(|error| error.field)
        };
        assert_eq!(check_start(|_| ()), Ok(()));
        assert_eq!(check_start(|s| s.ticket_id = Some(String::new())), Ok(()), "the service makes one up");
        assert_eq!(check_start(|s| s.ticket_id = Some("t.-9".into())), Ok(()));
        assert_eq!(check_start(|s| s.ticket_id = Some("t 9".into())), Err("TicketId"));
        assert_eq!(check_start(|s| s.ticket_id = Some("t".repeat(129))), Err("TicketId"));
        assert_eq!(check_start(|s| s.players.clear()), Err("Players"));
        assert_eq!(check_start(|s| s.game_session_arn = GameSessionId::default()), Err("GameSessionArn"));
        assert_eq!(
            check_start(|s| s.game_session_arn = GameSessionId::new_unchecked("a".repeat(257))),
            Err("GameSessionArn")
        );
        assert_eq!(
            check_start(|s| s.matchmaking_configuration_arn = "my-matchmaker".into()),
            Err("MatchmakingConfigurationArn")
        );
    }

    #[test]
    fn stopping_a_backfill_needs_its_ticket_and_two_arns() {
        let check_stop = |change: fn(&mut StopMatchBackfill)| {
            let mut request = stop();
            change(&mut request);
            check(&Request::StopMatchBackfill(request)).map_err(|error| error.field)
        };
        assert_eq!(check_stop(|_| ()), Ok(()));
        assert_eq!(check_stop(|s| s.ticket_id.clear()), Err("TicketId"));
        assert_eq!(check_stop(|s| s.ticket_id = "t_1".into()), Err("TicketId"));
        assert_eq!(
            check_stop(|s| s.game_session_arn = GameSessionId::new_unchecked("arn:g")),
            Err("GameSessionArn")
        );
        assert_eq!(
            check_stop(|s| s.matchmaking_configuration_arn.clear()),
            Err("MatchmakingConfigurationArn")
        );
    }

    #[test]
    fn an_arn_names_partition_region_account_kind_and_name() {
        for good in [
            "arn:aws:gamelift:us-west-2:123456789012:matchmakingconfiguration/m",
            "arn:aws-cn:gamelift:cn-north-1:123456789012:matchmakingconfiguration/m/n:o",
            "arn:aws-us-gov:gamelift:us-gov-west-1::gamesession/fleet/id",
        ] {
            assert_eq!(gamelift_arn("a", good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "arn",
            "arn:aws:gamelift:us-west-2:123456789012",
            "arn:gcp:gamelift:us-west-2:123456789012:matchmakingconfiguration/m",
            "arn:aws:s3:us-west-2:123456789012:matchmakingconfiguration/m",
            "arn:aws:gamelift:us-west:123456789012:matchmakingconfiguration/m",
            "arn:aws:gamelift:us-2:123456789012:matchmakingconfiguration/m",
            "arn:aws:gamelift:us-west-22:123456789012:matchmakingconfiguration/m",
            "arn:aws:gamelift:us-west-2:1234:matchmakingconfiguration/m",
            "arn:aws:gamelift:us-west-2:123456789012:matchmakingconfiguration",
            "arn:aws:gamelift:us-west-2:123456789012:matchmakingconfiguration/",
            "arn:aws:gamelift:us-west-2:123456789012:Matchmaker/m",
        ] {
            assert!(gamelift_arn("a", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_role_may_be_called_what_iam_allows_and_its_session_has_2_to_64_characters() {
        let get = |arn: &str, name: Option<&str>| {
            let role_session_name = name.map(str::to_owned);
            check(&Request::GetFleetRoleCredentials(GetFleetRoleCredentials {
                role_arn: arn.into(),
                role_session_name,
            }))
            .map_err(|error| error.field)
        };
        let role = "arn:aws:iam::123456789012:role/path/Game_Server+1=a,b.c@d";
        assert_eq!(get(role, None), Ok(()));
        assert_eq!(get(role, Some("fleet-1_host=1,a.b@c+d")), Ok(()));
        assert_eq!(get("", None), Err("RoleArn"));
        assert_eq!(get("arn aws", None), Err("RoleArn"));
        assert_eq!(get(&"a".repeat(257), None), Err("RoleArn"));
        for bad in ["x", "a b", &"n".repeat(65)] {
            assert_eq!(get(role, Some(bad)), Err("RoleSessionName"), "{bad}");
        }
    }

    #[test]
    fn an_error_cuts_a_long_value_short() {
        let error = session("GameSessionId", &"a".repeat(1_000)).unwrap_err();
        assert_eq!(error.value.len(), VALUE_SHOWN_MAX);
    }
}
