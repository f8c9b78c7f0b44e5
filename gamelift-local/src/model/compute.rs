//! Computes and their auth tokens.

use std::fmt;

use serde::Serialize;

use super::{answer, request};
use crate::Timestamp;

request! {
    /// Input of RegisterCompute.
    RegisterComputeInput {
        /// Id or ARN of an Anywhere fleet. Required.
        fleet_id: String => required FLEET_ID_OR_ARN,
        /// A name, unique in the fleet. Required.
        compute_name: String => required COMPUTE_NAME,
        /// Path of a TLS certificate on the compute; stored, never checked.
        certificate_path: String => optional NON_ZERO_AND_MAX,
        /// DNS name that players connect to. This or the IP address is required.
        dns_name: String => optional DNS_NAME,
        /// IP address that players connect to. This or the DNS name is required.
        ip_address: String => optional IP_ADDRESS,
        /// One of the fleet's locations. Required.
        location: String => optional LOCATION,
    }
}

answer! {
    /// Output of RegisterCompute and DescribeCompute.
    ComputeOutput {
        /// The compute.
        compute: Compute,
    }
}

answer! {
    /// A machine that hosts server processes.
    Compute {
        /// Its fleet.
        fleet_id: String,
        /// Its fleet's ARN.
        fleet_arn: String,
        /// Its name.
        compute_name: String,
        /// Its ARN.
        compute_arn: String,
        /// `Active`: Anywhere computes answer in mixed case, unlike the enumeration (AWS API reference, Compute).
        compute_status: &'static str,
        /// Its location.
        location: String,
        /// When it was registered.
        creation_time: Timestamp,
        /// Where its server processes connect to.
        game_lift_service_sdk_endpoint: String,
        ; optional:
        /// Its IP address.
        ip_address: String,
        /// Its DNS name.
        dns_name: String,
    }
}

request! {
    /// Input of DescribeCompute, DeregisterCompute and GetComputeAuthToken.
    ComputeInput {
        /// Id or ARN of the fleet. Required.
        fleet_id: String => required FLEET_ID_OR_ARN,
        /// Name or ARN of the compute. Required.
        compute_name: String => required COMPUTE_NAME_OR_ARN,
    }
}

request! {
    /// Input of ListCompute.
    ListComputeInput {
        /// Id or ARN of the fleet. Required.
        fleet_id: String => required FLEET_ID_OR_ARN,
        /// Only computes in this location.
        location: String => optional LOCATION,
        /// `ACTIVE` or `IMPAIRED`.
        compute_status: String => optional OneOf(&["ACTIVE", "IMPAIRED"]),
        /// Most computes per page.
        limit: i64 => optional POSITIVE_INTEGER,
        /// Where the previous page ended.
        next_token: String => optional NON_ZERO_AND_MAX,
    }
}

answer! {
    /// Output of ListCompute.
    ListComputeOutput {
        /// One page.
        compute_list: Vec<Compute>,
        ; optional:
        /// Present when more pages exist.
        next_token: String,
    }
}

answer! {
    /// Output of GetComputeAuthToken.
    GetComputeAuthTokenOutput {
        /// The compute's fleet.
        fleet_id: String,
        /// The fleet's ARN.
        fleet_arn: String,
        /// The compute's name.
        compute_name: String,
        /// The compute's ARN.
        compute_arn: String,
        /// What every server process of the compute connects with.
        auth_token: AuthToken,
        /// The moment the token ends.
        expiration_timestamp: Timestamp,
    }
}

/// A compute's auth token. It is not printed by `Debug`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct AuthToken(pub(crate) String);

impl AuthToken {
    /// The token itself, for the connect query.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AuthToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthToken(..)")
    }
}
