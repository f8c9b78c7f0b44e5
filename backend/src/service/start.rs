//! Starting a match or a private session: first the row, then GameLift, so that no event can come too early.

use std::collections::BTreeMap;

use serde_json::json;
use uuid::Uuid;

use super::{IdempotencyKey, Inner, PrivateRequest, StartRequest, Started, check, millis};
use crate::caller::{Caller, PlayerId};
use crate::event::News;
use crate::game_lift::{Attribute, GameLiftError, MatchRequest, PlacementRequest, Seeker};
use crate::problem::{Code, Problem};
use crate::store::{Admission, Consent, Created, Kind, NewTicket, Own, Read, Row};
use crate::ticket::{RANK_ENDED, Status};

/// Milliseconds that a ticket is remembered beyond its time: clients that were away still learn how it ended.
const REMEMBERED_MS: u64 = 60 * 60 * 1000;

/// A checked request for either.
struct Plan {
    /// The matchmaking configuration, or the queue.
    configuration: String,
    /// What makes it a private session.
    private: Option<Private>,
    attributes: BTreeMap<String, Attribute>,
    latencies: BTreeMap<String, u32>,
    party: Vec<String>,
}

struct Private {
    max_players: u16,
    location: Option<String>,
}

/// What GameLift is asked for.
#[derive(Clone)]
enum Call {
    Match(MatchRequest),
    Placement(PlacementRequest),
}

impl Inner {
    pub(super) async fn start(
        &self,
        caller: &Caller,
        key: &IdempotencyKey,
        request: StartRequest,
    ) -> Result<Started, Problem> {
        check::latencies(&request.latencies)?;
        check::party(&request.party)?;
        let plan = Plan {
            configuration: check::configuration(&self.settings, request.configuration)?,
            private: None,
            attributes: check::attributes(&self.settings, request.attributes)?,
            latencies: request.latencies,
            party: request.party,
        };
        self.begin(caller, key, plan).await
    }

    pub(super) async fn start_private(
        &self,
        caller: &Caller,
        key: &IdempotencyKey,
        request: PrivateRequest,
    ) -> Result<Started, Problem> {
        let Some(queue) = self.settings.queue.clone() else {
            return Err(Problem::new(Code::Configuration, "this backend has no queue for private sessions"));
        };
        check::latencies(&request.latencies)?;
        check::party(&request.party)?;
        let max_players = check::seats(&self.settings, request.max_players, request.party.len() + 1)?;
        let plan = Plan {
            configuration: queue,
            private: Some(Private { max_players, location: request.location }),
            attributes: BTreeMap::new(),
            latencies: request.latencies,
            party: request.party,
        };
        self.begin(caller, key, plan).await
    }

    async fn begin(&self, caller: &Caller, key: &IdempotencyKey, plan: Plan) -> Result<Started, Problem> {
        let player = &caller.player;
        // Before anything is counted or used up: the same request again has the same answer.
        if let Some(started) = self.replay(player, key).await? {
            return Ok(started);
        }
        self.check_places(&plan).await?;
        let now = self.now();
        let skill = match self.store.admit(player, key.as_str(), self.settings.initial_skill, now).await? {
            Admission::Granted(profile) => profile.skill,
            Admission::Wait(wait) => return Err(too_many(wait)),
        };
        let mut party: Vec<Consent> = Vec::new();
        let mut seekers = vec![seeker(player, skill, &plan)];
        for (index, token) in plan.party.iter().enumerate() {
            let Some(consent) = self.store.invited(token, now).await? else {
                // The same request may have used it up, in another process at the same time.
                let replay = self.replay(player, key).await?;
                return replay.ok_or_else(|| no_invite(index));
            };
            let member = &consent.member;
            if member == player || party.iter().any(|other| other.member == *member) {
                return Err(Problem::new(
                    Code::BadRequest,
                    format!("party[{index}]: this player is in it already"),
                ));
            }
            let profile = self.store.profile(member, self.settings.initial_skill, now).await?;
            seekers.push(self.member(&consent, index, profile.skill, &plan)?);
            party.push(consent);
        }
        let new = NewTicket {
            ticket_id: Uuid::new_v4().to_string(),
            token: key.as_str().to_owned(),
            kind: if plan.private.is_some() { Kind::Placement } else { Kind::Match },
            configuration: plan.configuration.clone(),
            player: player.clone(),
            party,
            expires: now.saturating_add(millis(self.settings.ticket_timeout)).saturating_add(REMEMBERED_MS),
        };
        match self.store.create(&new, now).await? {
            Created::New(row) => {
                let call = call(plan, new.ticket_id.clone(), seekers);
                self.launch(new, row, call).await
            }
            Created::Replay(row) => Ok(Started { ticket: self.view(&row), replayed: true }),
            Created::Active { ticket_id } => Err(active(&ticket_id)),
            Created::MemberActive(index) => {
                let message = format!("party[{index}]: this player has a ticket that is still open");
                Err(Problem::new(Code::TicketActive, message).with_details(json!({"party": index})))
            }
            Created::InviteGone(index) => match self.replay(player, key).await? {
                Some(started) => Ok(started),
                None => Err(no_invite(index)),
            },
        }
    }

    /// A member of the leader's party. Of what they have not said themselves, the leader says it for them.
    fn member(&self, consent: &Consent, index: usize, skill: f64, plan: &Plan) -> Result<Seeker, Problem> {
        let Own { latencies, attributes } = consent.own.clone();
        let mut own = seeker(&consent.member, skill, plan);
        if !latencies.is_empty() {
            own.latencies = latencies;
        }
        // A placement has no rules for them to go by.
        if !attributes.is_empty() && plan.private.is_none() {
            // They were checked when the invite was made; what is allowed may have changed since.
            own.attributes = check::attributes(&self.settings, attributes).map_err(|_| no_invite(index))?;
            own.attributes.insert("skill".to_owned(), Attribute::Number(skill));
        }
        Ok(own)
    }

    /// The caller's ticket, if this key has started it; a problem, if another has and it is still open.
    async fn replay(&self, player: &PlayerId, key: &IdempotencyKey) -> Result<Option<Started>, Problem> {
        match self.store.ticket(player, Read::Strong, self.now()).await? {
            Some(row) if row.token == key.as_str() => {
                Ok(Some(Started { ticket: self.view(&row), replayed: true }))
            }
            Some(row) if row.status.rank() < RANK_ENDED => Err(active(&row.ticket_id)),
            _ => Ok(None),
        }
    }

    async fn check_places(&self, plan: &Plan) -> Result<(), Problem> {
        let location = plan.private.as_ref().and_then(|private| private.location.as_ref());
        if plan.latencies.is_empty() && location.is_none() {
            return Ok(());
        }
        let locations = self.locations().await?;
        check::known(&plan.latencies, &locations)?;
        match location {
            Some(location) if !locations.iter().any(|known| known.location == *location) => {
                let message = format!("location: there is no {location:?}; see /v1/locations");
                Err(Problem::new(Code::BadRequest, message))
            }
            _ => Ok(()),
        }
    }

    /// Asks GameLift to start what is written.
    async fn launch(&self, new: NewTicket, row: Row, call: Call) -> Result<Started, Problem> {
        let mut outcome = self.call(call.clone()).await;
        if let Err(GameLiftError::Unclear(_)) = outcome {
            // The ticket id is ours, so the same again is no second ticket.
            outcome = match self.call(call).await {
                // Not this time, but maybe the first time.
                Err(GameLiftError::Unavailable(text)) => Err(GameLiftError::Unclear(text)),
                again => again,
            };
        }
        match outcome {
            Ok(()) => {}
            Err(GameLiftError::Unclear(text)) => {
                // It stays REQUESTED: an event will tell, or GameLift when it is asked in 30 seconds.
                tracing::warn!(text, "it is not known whether a ticket has started");
            }
            Err(GameLiftError::Unavailable(text)) => {
                // Nothing has happened, and the same key may be used again.
                self.store.undo(&new, self.now()).await?;
                return Err(GameLiftError::Unavailable(text).into());
            }
            Err(GameLiftError::Refused(text)) => match self.ask(&row).await {
                // An earlier attempt has started it: it is refused because it is there.
                Ok(Some(_)) => {}
                Ok(None) => return Err(self.refuse(&new, &row, GameLiftError::Refused(text)).await),
                Err(error) => tracing::warn!(text, %error, "it is not known whether a ticket has started"),
            },
            Err(error) => return Err(self.refuse(&new, &row, error).await),
        }
        for Consent { member, .. } in &new.party {
            self.tell(member, &row).await;
        }
        self.tell(&new.player, &row).await;
        Ok(Started { ticket: self.view(&row), replayed: false })
    }

    async fn call(&self, call: Call) -> Result<(), GameLiftError> {
        match call {
            Call::Match(request) => self.game_lift.start_matchmaking(request).await,
            Call::Placement(request) => self.game_lift.start_placement(request).await,
        }
    }

    /// Ends a ticket that GameLift does not take.
    async fn refuse(&self, new: &NewTicket, row: &Row, error: GameLiftError) -> Problem {
        let error = match error {
            GameLiftError::Refused(text) => GameLiftError::Refused(anonymous(text, new)),
            error => error,
        };
        let problem = Problem::from(error);
        let news = News { reason: Some(problem.message.clone()), ..News::of(Status::Failed) };
        for player in row.players(&new.player) {
            if let Err(error) = self.report(&player, row, &news).await {
                // Asked in 30 seconds, GameLift will say that there is no such ticket.
                tracing::warn!(%error, "a ticket that did not start cannot be ended");
            }
        }
        problem
    }
}

/// GameLift's words without identities: the whole party reads them.
fn anonymous(text: String, new: &NewTicket) -> String {
    let members = new.party.iter().map(|consent| &consent.member);
    std::iter::once(&new.player)
        .chain(members)
        .fold(text, |text, player| text.replace(player.as_str(), "(a player)"))
}

/// As the one who starts says.
fn seeker(player: &PlayerId, skill: f64, plan: &Plan) -> Seeker {
    let mut attributes = plan.attributes.clone();
    if plan.private.is_none() {
        attributes.insert("skill".to_owned(), Attribute::Number(skill));
    }
    Seeker { player: player.clone(), attributes, latencies: plan.latencies.clone() }
}

fn call(plan: Plan, ticket_id: String, players: Vec<Seeker>) -> Call {
    match plan.private {
        None => Call::Match(MatchRequest { ticket_id, configuration: plan.configuration, players }),
        Some(Private { max_players, location }) => Call::Placement(PlacementRequest {
            ticket_id,
            queue: plan.configuration,
            max_players,
            location,
            players,
        }),
    }
}

fn active(ticket_id: &str) -> Problem {
    let message = "you have a ticket that is still open: wait for it, or cancel it";
    Problem::new(Code::TicketActive, message).with_details(json!({"ticketId": ticket_id}))
}

fn no_invite(index: usize) -> Problem {
    let message =
        format!("party[{index}]: this invite is used up, expired or none; ask the member for another");
    Problem::new(Code::BadRequest, message)
}

fn too_many(wait_ms: u64) -> Problem {
    let seconds = u32::try_from(wait_ms.div_ceil(1000)).unwrap_or(u32::MAX);
    Problem::new(Code::RateLimited, format!("too many starts: try again in {seconds} s")).retry_after(seconds)
}
