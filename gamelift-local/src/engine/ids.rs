//! Ids and ARNs.

use uuid::Uuid;

use super::Settings;

/// A seeded source of UUIDs (SplitMix64: Steele, Lea and Flood, 2014). Not for secrets that leave the machine.
#[derive(Debug, Clone)]
pub(crate) struct Ids(u64);

impl Ids {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn uuid(&mut self) -> Uuid {
        let (high, low) = (u128::from(self.next()), u128::from(self.next()));
        uuid::Builder::from_random_bytes((high << 64 | low).to_be_bytes()).into_uuid()
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Settings {
    /// ARN of anything but a game session, `kind/name`: with the account id.
    pub(super) fn arn(&self, kind: &str, name: &str) -> String {
        format!("arn:aws:gamelift:{}:{}:{kind}/{name}", self.region, self.account_id)
    }

    /// ARN of an alias: without the account id.
    pub(super) fn alias_arn(&self, id: &str) -> String {
        format!("arn:aws:gamelift:{}::alias/{id}", self.region)
    }

    /// ARN of a game session: without the account id, and with the location, as every session of an
    /// Anywhere fleet has it.
    pub(super) fn game_session_arn(&self, fleet: &str, location: &str, id: &str) -> String {
        format!("arn:aws:gamelift:{}::gamesession/{fleet}/{location}/{id}", self.region)
    }
}

/// The id in an id or ARN. ARNs with and without account id are both in use, so only the resource part counts.
pub(super) fn resource_id<'a>(kind: &str, id_or_arn: &'a str) -> &'a str {
    match id_or_arn.strip_prefix("arn:") {
        Some(arn) => arn
            .rsplit_once(':')
            .map_or(arn, |(_, resource)| resource)
            .strip_prefix(kind)
            .and_then(|rest| rest.strip_prefix('/'))
            .unwrap_or(id_or_arn),
        None => id_or_arn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_in_every_form_of_arn() {
        for form in [
            "fleet-1",
            "arn:aws:gamelift:us-west-2:123456789012:fleet/fleet-1",
            "arn:aws:gamelift:us-west-2::fleet/fleet-1",
        ] {
            assert_eq!(resource_id("fleet", form), "fleet-1");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_ids_and_another_seed_others() {
        assert_eq!(Ids::new(7).uuid(), Ids::new(7).uuid());
        assert_ne!(Ids::new(7).uuid(), Ids::new(8).uuid());
    }
}
