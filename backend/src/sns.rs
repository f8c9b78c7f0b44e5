//! SNS, by which GameLift's events come: the envelope, and who may have written it.
//!
//! Over HTTP the envelope is all there is, so its signature is verified before anything in it counts; to Lambda, SNS's word is
//! AWS's, and the topic alone is checked.

pub mod certificate;
#[cfg(feature = "local")]
pub mod endpoint;
pub mod envelope;
#[cfg(feature = "local")]
pub mod signature;
pub mod verify;
