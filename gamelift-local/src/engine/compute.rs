//! Computes and their auth tokens.

use std::{collections::BTreeMap, ops::Bound, time::Duration};

use super::{
    Engine,
    fleet::Fleet,
    ids::resource_id,
    page::{PAGE_SIZE_MAX, Page},
    process::ProcessKey,
};
use crate::{
    ApiError, ErrorKind, Timestamp,
    model::{self, *},
};

/// AWS quota "Computes per Anywhere fleet" (adjustable).
const COMPUTES_MAX: usize = 100;
/// GetComputeAuthToken repeats a token until this little of its life is left (AWS GameLift Agent, source).
const TOKEN_RENEWAL: Duration = Duration::from_secs(15 * 60);
/// Most valid tokens of one compute; only forced refreshes can make so many. Beyond it, the oldest ends early.
const TOKENS_MAX: usize = 1024;
/// Longest token that a setup can fix; the SDKs put it into a URL.
const FIXED_TOKEN_MAX: usize = 256;

#[derive(Debug)]
pub(super) struct Compute {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) location: String,
    pub(super) ip_address: Option<String>,
    pub(super) dns_name: Option<String>,
    pub(super) certificate_path: Option<String>,
    pub(super) created: Timestamp,
    /// About to be taken away.
    pub(super) is_interrupted: bool,
    /// Oldest first.
    tokens: Vec<Token>,
    /// By process id.
    pub(super) processes: BTreeMap<String, ProcessKey>,
}

#[derive(Debug)]
struct Token {
    value: AuthToken,
    expires: Timestamp,
}

/// Whether a token opens the door.
pub(super) enum TokenCheck {
    Valid,
    Expired,
    Unknown,
}

impl Compute {
    pub(super) fn check_token(&self, now: Timestamp, value: &str) -> TokenCheck {
        match self.tokens.iter().rev().find(|token| token.value.as_str() == value) {
            Some(token) if now < token.expires => TokenCheck::Valid,
            Some(_) => TokenCheck::Expired,
            None => TokenCheck::Unknown,
        }
    }
}

impl Engine {
    /// Registers a machine with an Anywhere fleet.
    ///
    /// # Errors
    /// InvalidRequest for a bad or missing field, an unknown fleet (this operation has no NotFound) or a
    /// location that the fleet does not have; Conflict for a name that is taken; LimitExceeded beyond 100.
    pub fn register_compute(
        &mut self,
        now: Timestamp,
        input: RegisterComputeInput,
    ) -> Result<ComputeOutput, ApiError> {
        check::check(&input)?;
        let name = rule::required("computeName", &input.compute_name)?;
        let fleet = self.fleet_or_invalid(rule::required("fleetId", &input.fleet_id)?)?;
        // AWS API reference: this operation has no InvalidFleetStatus.
        fleet.check_active().map_err(|error| ApiError::invalid(error.message))?;
        let location = input.location.as_deref().ok_or_else(|| {
            ApiError::invalid("Location is required to register a compute with an ANYWHERE fleet")
        })?;
        if input.ip_address.is_none() && input.dns_name.is_none() {
            return Err(ApiError::invalid("IpAddress or DnsName is required to register a compute"));
        }
        if fleet.locations.get(location).is_none_or(|at| at.deleting.is_some()) {
            return Err(ApiError::invalid(format!(
                "Location {location} is not a location of fleet {}",
                fleet.id
            )));
        }
        if fleet.computes.contains_key(name) {
            let message = format!("Compute {name} is already registered with fleet {}", fleet.id);
            return Err(ApiError::new(ErrorKind::Conflict, message));
        }
        if fleet.computes.len() >= COMPUTES_MAX {
            let message =
                format!("Fleet {} has {COMPUTES_MAX} computes already, which is the limit", fleet.id);
            return Err(ApiError::new(ErrorKind::LimitExceeded, message));
        }
        let compute = Compute {
            name: name.to_owned(),
            arn: self.settings.arn("compute", name),
            location: location.to_owned(),
            ip_address: input.ip_address.clone(),
            dns_name: input.dns_name.clone(),
            certificate_path: input.certificate_path.clone(),
            created: now,
            is_interrupted: false,
            tokens: Vec::new(),
            processes: BTreeMap::new(),
        };
        let answer = self.compute_model(fleet, &compute);
        let fleet_id = fleet.id.clone();
        if let Some(fleet) = self.fleets.get_mut(&fleet_id) {
            fleet.computes.insert(compute.name.clone(), compute);
        }
        Ok(ComputeOutput { compute: answer })
    }

    /// Describes one compute.
    ///
    /// # Errors
    /// InvalidRequest for a bad field, NotFound for an unknown fleet or compute.
    pub fn describe_compute(
        &mut self,
        _now: Timestamp,
        input: ComputeInput,
    ) -> Result<ComputeOutput, ApiError> {
        let (fleet, compute) = self.compute(&input)?;
        Ok(ComputeOutput { compute: self.compute_model(fleet, compute) })
    }

    /// Removes a compute. Its processes are disconnected, and their game sessions end.
    ///
    /// # Errors
    /// InvalidRequest for a bad field, NotFound for an unknown fleet or compute.
    pub fn deregister_compute(&mut self, now: Timestamp, input: ComputeInput) -> Result<Empty, ApiError> {
        let (fleet, compute) = self.compute(&input)?;
        let (fleet_id, name) = (fleet.id.clone(), compute.name.clone());
        self.remove_compute(now, &fleet_id, &name);
        Ok(Empty {})
    }

    pub(super) fn remove_compute(&mut self, now: Timestamp, fleet: &str, name: &str) {
        let compute = self.fleets.get(fleet).and_then(|fleet| fleet.computes.get(name));
        let processes: Vec<ProcessKey> =
            compute.into_iter().flat_map(|compute| compute.processes.values().copied()).collect();
        for key in processes {
            self.give_up_process(now, key);
        }
        if let Some(fleet) = self.fleets.get_mut(fleet) {
            fleet.computes.remove(name);
        }
    }

    /// Lists a fleet's computes.
    ///
    /// # Errors
    /// InvalidRequest for a bad field or an unknown fleet (this operation has no NotFound).
    pub fn list_compute(
        &mut self,
        _now: Timestamp,
        input: ListComputeInput,
    ) -> Result<ListComputeOutput, ApiError> {
        check::check(&input)?;
        let location = input.location.as_deref();
        let page = Page::new("ListCompute", input.limit, &input.next_token, PAGE_SIZE_MAX)?;
        let fleet = self.fleet_or_invalid(rule::required("fleetId", &input.fleet_id)?)?;
        let start = page.after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let wanted = fleet
            .computes
            .range::<str, _>((start, Bound::Unbounded))
            .map(|(_, compute)| compute)
            .filter(|compute| location.is_none_or(|location| compute.location == location))
            .filter(|_| input.compute_status.as_deref() != Some("IMPAIRED"));
        let (computes, next_token) = page.take(wanted, |compute| compute.name.clone());
        let compute_list = computes.into_iter().map(|compute| self.compute_model(fleet, compute)).collect();
        Ok(ListComputeOutput { compute_list, next_token })
    }

    /// Hands out the compute's auth token: the same until less than 15 minutes of its life are left.
    ///
    /// # Errors
    /// InvalidRequest for a bad field, NotFound for an unknown fleet or compute.
    pub fn get_compute_auth_token(
        &mut self,
        now: Timestamp,
        input: ComputeInput,
    ) -> Result<GetComputeAuthTokenOutput, ApiError> {
        let (fleet, compute) = self.compute(&input)?;
        let (fleet_id, fleet_arn) = (fleet.id.clone(), fleet.arn.clone());
        let (compute_name, compute_arn) = (compute.name.clone(), compute.arn.clone());
        // A life shorter than the renewal time would otherwise mean a new token for every call.
        let renewal = TOKEN_RENEWAL.min(self.settings.token_ttl / 4);
        let current = compute.tokens.last().filter(|token| token.expires.since(now) >= renewal);
        let (auth_token, expiration_timestamp) = match current {
            Some(token) => (token.value.clone(), token.expires),
            None => self.new_token(now, &fleet_id, &compute_name),
        };
        let output = GetComputeAuthTokenOutput {
            fleet_id,
            fleet_arn,
            compute_name,
            compute_arn,
            auth_token,
            expiration_timestamp,
        };
        Ok(output)
    }

    /// Gives a compute a token that somebody else has thought up, for setups that scripts rely on. It lives as long as
    /// any other. AWS has nothing like it.
    ///
    /// # Errors
    /// InvalidRequest for a token that is not 1 to 256 letters, digits, hyphens, dots, underscores or tildes, which need
    /// no escaping in a URL; NotFound for an unknown fleet or compute.
    pub fn fix_compute_auth_token(
        &mut self,
        now: Timestamp,
        input: ComputeInput,
        token: &str,
    ) -> Result<(), ApiError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if !(1..=FIXED_TOKEN_MAX).contains(&token.len()) || !token.bytes().all(plain) {
            // Without the value, which is a secret.
            return Err(ApiError::invalid(format!(
                "An auth token must have 1 to {FIXED_TOKEN_MAX} characters, all of them letters, digits or any of -._~"
            )));
        }
        let (fleet, compute) = self.compute(&input)?;
        let (fleet, compute) = (fleet.id.clone(), compute.name.clone());
        self.add_token(now, &fleet, &compute, AuthToken(token.to_owned()));
        Ok(())
    }

    /// Makes a new token; older ones stay valid until they expire.
    pub(super) fn new_token(&mut self, now: Timestamp, fleet: &str, compute: &str) -> (AuthToken, Timestamp) {
        let value = AuthToken(self.ids.uuid().to_string());
        self.add_token(now, fleet, compute, value)
    }

    fn add_token(
        &mut self,
        now: Timestamp,
        fleet: &str,
        compute: &str,
        value: AuthToken,
    ) -> (AuthToken, Timestamp) {
        let expires = now + self.settings.token_ttl;
        let compute = self.fleets.get_mut(fleet).and_then(|fleet| fleet.computes.get_mut(compute));
        if let Some(compute) = compute {
            compute.tokens.retain(|token| now < token.expires);
            if compute.tokens.len() >= TOKENS_MAX {
                compute.tokens.remove(0);
            }
            compute.tokens.push(Token { value: value.clone(), expires });
        }
        (value, expires)
    }

    /// # Errors
    /// InvalidRequest always: GameLift has no way into an Anywhere compute. NotFound for an unknown fleet or compute.
    pub fn get_compute_access(&mut self, _now: Timestamp, input: ComputeInput) -> Result<Empty, ApiError> {
        self.compute(&input)?;
        self.managed_only("GetComputeAccess", &input.fleet_id)
    }

    pub(super) fn compute(&self, input: &ComputeInput) -> Result<(&Fleet, &Compute), ApiError> {
        check::check(input)?;
        let fleet = self.fleet(rule::required("fleetId", &input.fleet_id)?)?;
        let name = resource_id("compute", rule::required("computeName", &input.compute_name)?);
        let compute = fleet
            .computes
            .get(name)
            .ok_or_else(|| ApiError::not_found(format!("Compute {name} not found in fleet {}", fleet.id)))?;
        Ok((fleet, compute))
    }

    fn compute_model(&self, fleet: &Fleet, compute: &Compute) -> model::Compute {
        model::Compute {
            fleet_id: fleet.id.clone(),
            fleet_arn: fleet.arn.clone(),
            compute_name: compute.name.clone(),
            compute_arn: compute.arn.clone(),
            compute_status: "Active",
            location: compute.location.clone(),
            creation_time: compute.created,
            game_lift_service_sdk_endpoint: self.settings.sdk_endpoint.clone(),
            ip_address: compute.ip_address.clone(),
            dns_name: compute.dns_name.clone(),
        }
    }
}
