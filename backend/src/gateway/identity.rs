//! Identities, credentials and tokens that need no table: whoever holds the server's secret can check them.
//!
//! An identity id is random bytes and a tag over them; a session token is the identity, the access key, an expiry and a tag;
//! the secret access key is derived from the token. So all of them outlive a restart as long as the secret does, nothing is
//! kept per player, and a stranger cannot fill a memory.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine as _, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::hmac;
use subtle::ConstantTimeEq as _;

use super::sigv4::{Granted, Refusal};
use crate::caller::PlayerId;

/// How long credentials last, as Cognito's.
pub const CREDENTIALS_LIFE: Duration = Duration::from_secs(60 * 60);
/// How long a bearer token lasts: it signs nothing, so whoever sees it can use it.
pub const BEARER_LIFE: Duration = Duration::from_secs(15 * 60);

/// Random bytes of an identity. 80 bits: too many to guess, and a player's credentials hang on them.
const IDENTITY_RANDOM: usize = 10;
/// The tag fills the id up to the 16 bytes of a UUID. It need not stop forgers, who would get a new identity at best, which
/// they can have for the asking; it tells ids of another server from ours.
const IDENTITY_TAG: usize = 6;
/// Random bytes of an access key: 16 characters of base 32.
const KEY_RANDOM: usize = 10;

/// The longest token that is looked at. Ours have about 100 characters.
const TOKEN_LEN_MAX: usize = 256;

const EXPIRES: usize = 8;
const TAG: usize = 32;
const TOKEN: usize = IDENTITY_RANDOM + KEY_RANDOM + EXPIRES + TAG;
const BEARER: usize = IDENTITY_RANDOM + EXPIRES + TAG;

/// The server's secret. Whoever has it can be any player.
#[derive(Clone)]
pub struct ServerSecret([u8; 32]);

impl ServerSecret {
    /// Of random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for ServerSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ServerSecret(..)")
    }
}

/// What a guest gets to sign with.
#[derive(Clone)]
pub struct Credentials {
    /// `ASIA` and 16 characters.
    pub access_key: String,
    /// The secret access key.
    pub secret_key: String,
    /// Goes with every request.
    pub session_token: String,
    /// When they stop working, in seconds since 1970.
    pub expires_at: u64,
}

/// A token that is shown as it is.
#[derive(Clone)]
pub struct Bearer {
    /// The token.
    pub token: String,
    /// When it stops working, in seconds since 1970.
    pub expires_at: u64,
}

/// An identity pool of guests.
#[derive(Debug, Clone)]
pub struct Pool {
    secret: ServerSecret,
    region: String,
}

impl Pool {
    /// A pool whose identities are those of one secret.
    pub fn new(secret: ServerSecret, region: impl Into<String>) -> Self {
        Self { secret, region: region.into() }
    }

    /// A new identity out of random bytes.
    pub fn new_identity(&self, random: [u8; IDENTITY_RANDOM]) -> PlayerId {
        let mut bytes = random.to_vec();
        bytes.extend(&self.tag("identity", &random).as_ref()[..IDENTITY_TAG]);
        let hex = hex::encode(bytes);
        let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
        PlayerId::new(format!("{}:{}", self.region, parts.join("-")))
    }

    /// The identity of an id, if this pool has made it.
    pub fn find(&self, id: &str) -> Option<PlayerId> {
        let random = self.random_of(id)?;
        let identity = self.new_identity(random);
        bool::from(identity.as_str().as_bytes().ct_eq(id.as_bytes())).then_some(identity)
    }

    fn random_of(&self, id: &str) -> Option<[u8; IDENTITY_RANDOM]> {
        let hex: String = id.strip_prefix(&self.region)?.strip_prefix(':')?.split('-').collect();
        let bytes = hex::decode(hex).ok()?;
        bytes.get(..IDENTITY_RANDOM)?.try_into().ok()
    }

    /// New credentials of an identity out of random bytes. `None` if the identity is none of ours.
    pub fn credentials(
        &self,
        identity: &PlayerId,
        now: SystemTime,
        random: [u8; KEY_RANDOM],
    ) -> Option<Credentials> {
        let mut token = self.random_of(identity.as_str())?.to_vec();
        let expires_at = seconds(now + CREDENTIALS_LIFE);
        token.extend(random);
        token.extend(expires_at.to_be_bytes());
        let secret_key = self.secret_key(&token);
        token.extend(self.tag("session token", &token).as_ref());
        let session_token = BASE64_URL_SAFE_NO_PAD.encode(token);
        Some(Credentials { access_key: access_key(random), secret_key, session_token, expires_at })
    }

    /// What a request's access key and session token stand for.
    ///
    /// # Errors
    ///
    /// [`Refusal`] if the token is not ours, not that of the key, or has expired.
    pub fn open(
        &self,
        key: &str,
        token: Option<&str>,
        now: SystemTime,
    ) -> Result<Granted<PlayerId>, Refusal> {
        let bytes: [u8; TOKEN] = decode(token.unwrap_or_default()).ok_or_else(Refusal::unrecognized)?;
        let (claims, tag) = bytes.split_at(TOKEN - TAG);
        let (identity, rest) = claims.split_at(IDENTITY_RANDOM);
        let (random, expires) = rest.split_at(KEY_RANDOM);
        let random: [u8; KEY_RANDOM] = random.try_into().map_err(|_| Refusal::unrecognized())?;
        let own = bool::from(access_key(random).as_bytes().ct_eq(key.as_bytes()));
        if !self.tagged("session token", claims, tag) || !own {
            return Err(Refusal::unrecognized());
        }
        let identity = self.claimed(identity, expires, now)?;
        Ok(Granted { secret_key: self.secret_key(claims), owner: identity })
    }

    /// A token for doors that cannot verify signatures. `None` if the identity is none of ours.
    pub fn bearer(&self, identity: &PlayerId, now: SystemTime) -> Option<Bearer> {
        let mut token = self.random_of(identity.as_str())?.to_vec();
        let expires_at = seconds(now + BEARER_LIFE);
        token.extend(expires_at.to_be_bytes());
        token.extend(self.tag("bearer", &token).as_ref());
        Some(Bearer { token: BASE64_URL_SAFE_NO_PAD.encode(token), expires_at })
    }

    /// Whose a bearer token is, and until when.
    ///
    /// # Errors
    ///
    /// [`Refusal`] if the token is not ours or has expired.
    pub fn open_bearer(&self, token: &str, now: SystemTime) -> Result<(PlayerId, SystemTime), Refusal> {
        let bytes: [u8; BEARER] = decode(token).ok_or_else(Refusal::unrecognized)?;
        let (claims, tag) = bytes.split_at(BEARER - TAG);
        if !self.tagged("bearer", claims, tag) {
            return Err(Refusal::unrecognized());
        }
        let (identity, expires) = claims.split_at(IDENTITY_RANDOM);
        let player = self.claimed(identity, expires, now)?;
        let expires = expires.try_into().map_or(0, u64::from_be_bytes);
        Ok((player, UNIX_EPOCH + Duration::from_secs(expires)))
    }

    /// The identity in claims that have been verified, unless they have expired.
    fn claimed(&self, identity: &[u8], expires: &[u8], now: SystemTime) -> Result<PlayerId, Refusal> {
        let identity = identity.try_into().map_err(|_| Refusal::unrecognized())?;
        let expires = expires.try_into().map_err(|_| Refusal::unrecognized())?;
        if u64::from_be_bytes(expires) <= seconds(now) {
            return Err(Refusal::expired());
        }
        Ok(self.new_identity(identity))
    }

    /// 30 bytes in base 64: 40 characters, as AWS's.
    fn secret_key(&self, claims: &[u8]) -> String {
        BASE64_STANDARD.encode(&self.tag("secret key", claims).as_ref()[..30])
    }

    /// What a tag is for is a part of it, so that none can stand in for another.
    fn tag(&self, purpose: &str, bytes: &[u8]) -> hmac::Tag {
        hmac::sign(&self.key(), &labelled(purpose, bytes))
    }

    fn tagged(&self, purpose: &str, bytes: &[u8], tag: &[u8]) -> bool {
        // In constant time.
        hmac::verify(&self.key(), &labelled(purpose, bytes), tag).is_ok()
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.secret.0)
    }
}

fn labelled(purpose: &str, bytes: &[u8]) -> Vec<u8> {
    [purpose.as_bytes(), &[0], bytes].concat()
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn decode<const N: usize>(token: &str) -> Option<[u8; N]> {
    if token.len() > TOKEN_LEN_MAX {
        return None;
    }
    BASE64_URL_SAFE_NO_PAD.decode(token).ok()?.try_into().ok()
}

/// `ASIA` says temporary (IAM user guide, "Understanding unique ID prefixes").
fn access_key(random: [u8; KEY_RANDOM]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut key = "ASIA".to_owned();
    let mut bits = random.iter().fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte)) << 48;
    for _ in 0..16 {
        bits = bits.rotate_left(5);
        key.push(char::from(ALPHABET[(bits & 31) as usize]));
        bits &= !31;
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }

    fn pool(secret: u8) -> Pool {
        Pool::new(ServerSecret::new([secret; 32]), "us-west-2")
    }

    #[test]
    fn an_identity_is_shaped_as_cognitos_and_known_after_a_restart() {
        let identity = pool(1).new_identity([7; 10]);
        let id = identity.as_str();
        assert!(id.len() <= 55 && id.starts_with("us-west-2:07070707-0707-0707-0707-"), "{id}");
        assert_eq!(pool(1).find(id), Some(identity.clone()));
        assert_eq!(pool(2).find(id), None);
        assert_eq!(Pool::new(ServerSecret::new([1; 32]), "eu-west-1").find(id), None);
        assert_eq!(pool(1).find(&id.replacen('7', "8", 1)), None);
        assert_eq!(pool(1).find(&id.replace('-', "")), None);
        for nonsense in ["", ":", "us-west-2:", "us-west-2:zz", "us-west-2:é", &"a".repeat(1000)] {
            assert_eq!(pool(1).find(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn credentials_open_for_their_identity_until_they_expire() {
        let ada = pool(1).new_identity([7; 10]);
        let made = pool(1).credentials(&ada, now(), [9; 10]).unwrap();
        assert_eq!((made.access_key.len(), made.secret_key.len()), (20, 40));
        let open = |at| pool(1).open(&made.access_key, Some(&made.session_token), at);
        let granted = open(now()).unwrap();
        assert_eq!((granted.owner, granted.secret_key), (ada, made.secret_key.clone()));
        assert!(open(now() + CREDENTIALS_LIFE - Duration::from_secs(1)).is_ok());
        assert_eq!(open(now() + CREDENTIALS_LIFE).err(), Some(Refusal::expired()));
    }

    #[test]
    fn a_token_of_another_key_identity_or_server_is_unrecognized() {
        let (ada, bob) = (pool(1).new_identity([7; 10]), pool(1).new_identity([8; 10]));
        let first = pool(1).credentials(&ada, now(), [1; 10]).unwrap();
        let second = pool(1).credentials(&bob, now(), [2; 10]).unwrap();
        fn open(key: &str, token: Option<&str>) -> Option<Refusal> {
            pool(1).open(key, token, now()).err()
        }
        let no = Some(Refusal::unrecognized());
        assert_eq!(open(&first.access_key, Some(&second.session_token)), no);
        assert_eq!(open(&second.access_key, Some(&first.session_token)), no);
        assert_eq!(open(&first.access_key, None), no);
        assert_eq!(open(&first.access_key, Some("")), no);
        assert_eq!(open(&first.access_key, Some(&"A".repeat(10_000))), no);
        assert_eq!(pool(2).open(&first.access_key, Some(&first.session_token), now()).err(), no);
        for place in 0..first.session_token.len() {
            let mut token = first.session_token.clone().into_bytes();
            token[place] = if token[place] == b'A' { b'B' } else { b'A' };
            let token = String::from_utf8(token).unwrap();
            assert!(open(&first.access_key, Some(&token)).is_some(), "at {place}");
        }
    }

    #[test]
    fn a_bearer_token_opens_for_fifteen_minutes_and_is_no_session_token() {
        let ada = pool(1).new_identity([7; 10]);
        let bearer = pool(1).bearer(&ada, now()).unwrap();
        assert_eq!(pool(1).open_bearer(&bearer.token, now()), Ok((ada.clone(), now() + BEARER_LIFE)));
        assert_eq!(pool(1).open_bearer(&bearer.token, now() + BEARER_LIFE), Err(Refusal::expired()));
        assert_eq!(pool(2).open_bearer(&bearer.token, now()), Err(Refusal::unrecognized()));
        let session = pool(1).credentials(&ada, now(), [9; 10]).unwrap().session_token;
        assert_eq!(pool(1).open_bearer(&session, now()), Err(Refusal::unrecognized()));
    }

    #[test]
    fn access_keys_are_the_base_32_of_their_bytes() {
        assert_eq!(access_key([0; 10]), "ASIAAAAAAAAAAAAAAAAA");
        assert_eq!(access_key([255; 10]), "ASIA7777777777777777");
        assert_eq!(access_key(*b"helloworld"), "ASIANBSWY3DPO5XXE3DE");
    }
}
