//! The link: which socket is it, and what happens when it opens, fails, is lost or is replaced.

use std::time::{Duration, Instant};

use gamelift_wire::pushes::RefreshConnection;

use super::backoff::Backoff;
use super::{CLOSE_NORMAL, ConnId, Output, Stage, Uplink, uuid};
use crate::endpoint::{Credentials, Endpoint, websocket_url};
use crate::error::{CloseReason, ConnectError, DialError};

/// How long one dial may take, TCP, TLS and upgrade together. C++ SDK 5.4.0 allows the same; Go SDK 5.6.0 has no limit,
/// and a silent server blocks it for ever.
pub(crate) const DIAL_PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(super) enum Link {
    Dialing { conn: ConnId, give_up: Instant },
    Open { conn: ConnId },
    Backoff { until: Instant },
    Closed,
}

/// A refresh that is not done yet. Lives beside `Link::Open` only.
#[derive(Debug)]
pub(super) struct Successor {
    pub(super) endpoint: Box<Endpoint>,
    pub(super) attempt: Attempt,
    pub(super) backoff: Backoff,
}

#[derive(Debug)]
pub(super) enum Attempt {
    Dialing { conn: ConnId, give_up: Instant },
    Waiting { until: Instant },
}

impl Attempt {
    pub(super) fn conn(&self) -> Option<ConnId> {
        match self {
            Self::Dialing { conn, .. } => Some(*conn),
            Self::Waiting { .. } => None,
        }
    }
}

impl Uplink {
    fn next_conn(&mut self) -> ConnId {
        self.last_conn += 1;
        ConnId(self.last_conn)
    }

    pub(super) fn dial(&mut self, now: Instant) {
        let conn = self.next_conn();
        if let Stage::Connecting { attempts, .. } = &mut self.stage {
            *attempts += 1;
        }
        self.link = Link::Dialing { conn, give_up: now + DIAL_PATIENCE };
        self.outputs.push_back(Output::Dial(conn, self.endpoint.clone()));
    }

    pub(super) fn opened(&mut self, now: Instant, conn: ConnId) {
        self.link = Link::Open { conn };
        self.silent_calls = 0;
        if matches!(self.stage, Stage::Connecting { .. }) {
            self.stage = Stage::Connected;
            self.outputs.push_back(Output::Connected(Ok(())));
        }
        if std::mem::take(&mut self.missed_a_beat) {
            self.health.ask_soon(now);
        }
        self.send_calls(now);
    }

    pub(super) fn link_failed(&mut self, now: Instant, error: Option<DialError>) {
        self.link = Link::Closed;
        if let Some(error) = error {
            if let Stage::Connecting { attempts, give_up, last } = &mut self.stage {
                // The first connection is the caller's to judge: a wrong token is wrong at the next attempt, too.
                if error.is_final() || *give_up <= now {
                    let attempts = *attempts;
                    return self.give_up_connecting(ConnectError::Unreachable { attempts, last: error });
                }
                tracing::debug!(%error, "could not connect; trying again");
                *last = Some(error.clone());
            } else if self.backoff.is_first() || error.is_final() {
                tracing::warn!(%error, "not connected; trying again for as long as it takes");
            }
            if error.is_unauthorized() {
                renew(&mut self.endpoint.credentials, &self.settings.credentials);
            }
        }
        if let Some(fallback) = &mut self.fallback {
            std::mem::swap(&mut self.endpoint, fallback);
        }
        self.link = Link::Backoff { until: self.backoff.failed(now, &mut self.rng) };
    }

    pub(super) fn link_lost(&mut self, now: Instant) {
        match self.successor.take() {
            // The newest endpoint becomes the link's; the one that worked so far is tried in turn with it.
            Some(successor) => {
                self.fallback = Some(std::mem::replace(&mut self.endpoint, successor.endpoint));
                match successor.attempt {
                    Attempt::Dialing { conn, give_up } => self.link = Link::Dialing { conn, give_up },
                    Attempt::Waiting { .. } => self.link_failed(now, None),
                }
            }
            None => self.link = Link::Backoff { until: self.backoff.failed(now, &mut self.rng) },
        }
        self.fail_calls_without_a_socket();
    }

    pub(super) fn give_up_connecting(&mut self, error: ConnectError) {
        self.stage = Stage::Connected;
        self.outputs.push_back(Output::Connected(Err(error)));
        self.close(CloseReason::NeverConnected);
    }

    pub(super) fn refresh(&mut self, now: Instant, refresh: RefreshConnection) {
        let url = match websocket_url(&refresh.refresh_connection_endpoint) {
            Ok(url) => url,
            Err(error) => return tracing::warn!(%error, "RefreshConnection ignored"),
        };
        let endpoint = Box::new(Endpoint {
            url,
            credentials: Credentials::after_refresh(refresh.auth_token, &self.settings.credentials),
            idempotency_token: uuid(&mut self.rng).to_string(),
        });
        // The newest wins: an earlier refresh that is still under way is given up.
        if let Some(conn) = self.successor.take().and_then(|older| older.attempt.conn()) {
            self.outputs.push_back(Output::Close(conn, None));
        }
        if matches!(self.link, Link::Open { .. }) {
            let attempt = Attempt::Waiting { until: now };
            self.successor = Some(Box::new(Successor { endpoint, attempt, backoff: Backoff::default() }));
            self.dial_successor(now);
        } else {
            // Read from the predecessor while the link is down.
            self.fallback = Some(std::mem::replace(&mut self.endpoint, endpoint));
            if let Link::Dialing { conn, .. } = self.link {
                self.outputs.push_back(Output::Close(conn, None));
                self.dial(now);
            }
        }
    }

    pub(super) fn dial_successor(&mut self, now: Instant) {
        let conn = self.next_conn();
        if let Some(successor) = &mut self.successor {
            successor.attempt = Attempt::Dialing { conn, give_up: now + DIAL_PATIENCE };
            self.outputs.push_back(Output::Dial(conn, successor.endpoint.clone()));
        }
    }

    /// A failed refresh changes nothing but the time of the next attempt.
    pub(super) fn successor_failed(&mut self, now: Instant, conn: ConnId, error: Option<&DialError>) {
        if let Some(successor) = &mut self.successor
            && error.is_some_and(DialError::is_unauthorized)
        {
            renew(&mut successor.endpoint.credentials, &self.settings.credentials);
        }
        if let Some(successor) = self.successor.as_mut().filter(|s| s.attempt.conn() == Some(conn)) {
            successor.attempt = Attempt::Waiting { until: successor.backoff.failed(now, &mut self.rng) };
        }
    }

    pub(super) fn drop_predecessor(&mut self) {
        if let Some((conn, _)) = self.predecessor.take() {
            self.outputs.push_back(Output::Close(conn, Some(CLOSE_NORMAL)));
            self.fail_calls_without_a_socket();
        }
    }
}

/// A token that came with a refresh grows old, too; whoever can get a new one of their own turns back to that.
fn renew(credentials: &mut Credentials, configured: &Credentials) {
    if configured.can_be_renewed() {
        credentials.clone_from(configured);
    }
}
