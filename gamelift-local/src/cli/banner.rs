//! What `up` prints when it is ready.

use std::{collections::BTreeMap, path::Path};

use gamelift_local::{Config, Local};
use serde_json::json;

/// One line for programs.
pub(super) fn json_line(local: &Local) -> String {
    let defaults = local.defaults();
    let beacons: BTreeMap<_, _> =
        local.beacons().iter().map(|beacon| (beacon.location(), beacon.endpoint().to_string())).collect();
    let line = json!({
        "apiEndpoint": local.api_endpoint(),
        "sdkEndpoint": local.sdk_endpoint(),
        "sdkTlsEndpoint": local.sdk_tls_endpoint(),
        "adminEndpoint": local.admin_endpoint(),
        "fleetId": defaults.fleet_id,
        "location": defaults.location,
        "computeName": defaults.compute_name,
        "authToken": defaults.auth_token,
        "beacons": beacons,
    });
    format!("{line}\n")
}

/// Endpoints, and lines to copy.
pub(super) fn for_people(local: &Local, config: &Config, certificate: Option<&Path>) -> String {
    let defaults = local.defaults();
    let mut text = endpoints(local, certificate);
    for configuration in config.setup.iter().flat_map(|setup| &setup.matchmaking_configurations) {
        text += &format!("  {:<13} {}\n", "matchmaker", configuration.name);
    }
    text += &format!(
        "
For the AWS CLI and SDKs (version 1 of the CLI reads only AWS_DEFAULT_REGION):

  export AWS_ENDPOINT_URL_GAMELIFT={api}
  export AWS_ACCESS_KEY_ID=local
  export AWS_SECRET_ACCESS_KEY=local
  export AWS_REGION={region}
  export AWS_DEFAULT_REGION={region}
",
        api = local.api_endpoint(),
        region = config.region,
    );
    if !defaults.compute_name.is_empty() {
        // ManagedResource makes every SDK invent a process id, so that a server can be started again and again.
        text += &format!(
            "
For a game server:

  export GAMELIFT_SDK_WEBSOCKET_URL={sdk}
  export GAMELIFT_SDK_FLEET_ID={fleet}
  export GAMELIFT_SDK_HOST_ID={compute}
  export GAMELIFT_SDK_AUTH_TOKEN={token}
  export GAMELIFT_SDK_PROCESS_ID=ManagedResource

Then, for a game session with ten slots:

  aws gamelift create-game-session --fleet-id {fleet} --location {location} --maximum-player-session-count 10
",
            sdk = local.sdk_endpoint(),
            fleet = defaults.fleet_id,
            compute = defaults.compute_name,
            token = defaults.auth_token,
            location = defaults.location,
        );
    }
    // A match by the default matchmaker goes to the default fleet: no place for a server with a declared compute's exports.
    let mut fleets = config.setup.iter().flat_map(|setup| &setup.fleets);
    if config.default_resources && fleets.all(|fleet| fleet.computes.is_empty()) {
        text += MATCHMAKING;
    }
    text + "\nCtrl-C stops it.\n"
}

/// For the default rule set, in which a match is two players of like skill.
const MATCHMAKING: &str = r#"
Or a match for two, by the matchmaker that is there already: this, and once more for player-2:

  aws gamelift start-matchmaking --configuration-name default --players '[{"PlayerId": "player-1", "PlayerAttributes": {"skill": {"N": 10}}}]'
"#;

fn endpoints(local: &Local, certificate: Option<&Path>) -> String {
    let certificate = match certificate {
        Some(file) => format!("trust {}", file.display()),
        None => "its certificate: --ca-out FILE".to_owned(),
    };
    let defaults = local.defaults();
    let mut text = format!(
        "\
GameLift is up.

  AWS API       {api}
  server SDK    {sdk}
  with TLS      {sdk_tls}  ({certificate})
  admin         {admin}
",
        api = local.api_endpoint(),
        sdk = local.sdk_endpoint(),
        sdk_tls = local.sdk_tls_endpoint().unwrap_or("-"),
        admin = local.admin_endpoint(),
    );
    for (name, value) in
        [("fleet", &defaults.fleet_id), ("location", &defaults.location), ("compute", &defaults.compute_name)]
    {
        if !value.is_empty() {
            text += &format!("  {name:<13} {value}\n");
        }
    }
    for beacon in local.beacons() {
        text += &format!("  {:<13} udp://{}  ({})\n", "UDP beacon", beacon.endpoint(), beacon.location());
    }
    text
}
