//! What is accepted, what is refused, and who wins.

use std::time::Duration;

use gamelift_wire::ids::AuthToken;

use super::*;

fn builder() -> ConfigBuilder {
    Config::builder()
        .websocket_url("wss://us-west-2.api.amazongamelift.com")
        .fleet_id("fleet-1")
        .host_id("host-1")
        .process_id("proc-1")
        .auth_token("t0ken")
}

fn without_token() -> ConfigBuilder {
    builder().auth_token("")
}

fn env(pairs: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<String> {
    move |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
}

#[test]
fn the_environment_wins_over_what_was_set_before_it_and_loses_to_what_is_set_after() {
    let from_env = builder().overridden_by(env(&[("GAMELIFT_SDK_HOST_ID", "env-host")])).unwrap();
    assert_eq!(from_env.clone().build().unwrap().host_id(), Some("env-host"));
    assert_eq!(from_env.host_id("later").build().unwrap().host_id(), Some("later"));
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let config = builder().overridden_by(env(&[("GAMELIFT_SDK_AUTH_TOKEN", "")])).unwrap().build().unwrap();
    assert_eq!(config.credentials, Credentials::Token(AuthToken::new_unchecked("t0ken")));
}

#[test]
fn a_variable_that_is_set_but_wrong_is_an_error_that_names_it() {
    let error = builder().overridden_by(env(&[("HEALTHCHECK_INTERVAL", "often")])).unwrap_err();
    assert!(
        error.to_string().contains("HEALTHCHECK_INTERVAL") && error.to_string().contains("often"),
        "{error}"
    );
}

#[test]
fn what_is_missing_is_named_with_its_variable() {
    let error = Config::builder().overridden_by(env(&[])).unwrap().build().unwrap_err();
    assert!(error.to_string().contains("GAMELIFT_SDK_WEBSOCKET_URL"), "{error}");
    assert_eq!(without_token().build().unwrap_err(), ConfigError::NoCredentials);
}

#[test]
fn a_token_wins_over_keys_and_keys_need_a_region() {
    let keys = without_token().keys("a", "s", None);
    let credentials = |builder: ConfigBuilder| builder.build().map(|config| config.credentials);
    assert!(matches!(credentials(keys.clone().region("us-west-2")), Ok(Credentials::Keys(_))));
    assert!(matches!(
        credentials(keys.clone().region("us-west-2").auth_token("t0ken")),
        Ok(Credentials::Token(_))
    ));
    assert_eq!(credentials(keys), Err(ConfigError::NoCredentials));
}

const CONTAINER: &[(&str, &str)] = &[
    ("GAMELIFT_COMPUTE_TYPE", "CONTAINER"),
    ("GAMELIFT_REGION", "us-west-2"),
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/uuid"),
    ("ECS_CONTAINER_METADATA_URI_V4", "http://169.254.170.2/v4/abc"),
];

#[test]
fn a_container_needs_no_host_id_but_a_region_and_the_endpoints_of_its_task() {
    let config = |left_out: &str| {
        let lookup = |name: &str| env(CONTAINER)(name).filter(|_| name != left_out);
        let builder = Config::builder().websocket_url("ws://localhost").fleet_id("fleet-1");
        builder.overridden_by(lookup).unwrap().build()
    };
    let complete = config("").unwrap();
    assert!(matches!(complete.credentials, Credentials::Container(_)));
    assert_eq!(complete.host_id(), None, "its task's metadata will say");
    for (needed, _) in &CONTAINER[1..] {
        assert!(config(needed).unwrap_err().to_string().contains(needed), "{needed}");
    }
    assert_eq!(
        config("GAMELIFT_COMPUTE_TYPE").unwrap_err(),
        ConfigError::NoCredentials,
        "what ECS sets in every task does not make it a GameLift container"
    );
}

#[test]
fn a_token_wins_over_a_container_and_a_container_over_keys() {
    let credentials = |builder: ConfigBuilder| builder.build().unwrap().credentials;
    let container = builder().overridden_by(env(CONTAINER)).unwrap();
    assert!(matches!(credentials(container), Credentials::Token(_)));
    let keys = without_token().keys("a", "s", None).overridden_by(env(CONTAINER)).unwrap();
    assert!(matches!(credentials(keys), Credentials::Container(_)));
    // A token makes the container's endpoints unnecessary, even if they are wrong.
    let half = builder().overridden_by(env(&[("GAMELIFT_COMPUTE_TYPE", "CONTAINER")])).unwrap();
    assert!(matches!(credentials(half), Credentials::Token(_)));
}

#[test]
fn of_a_token_and_a_token_provider_the_one_set_last_counts() {
    let provider = || async { Ok(AuthToken::new_unchecked("fresh")) };
    let credentials = |builder: ConfigBuilder| builder.build().unwrap().credentials;
    assert!(matches!(credentials(builder().token_provider(provider)), Credentials::Provider(_)));
    assert!(matches!(
        credentials(without_token().token_provider(provider).auth_token("t")),
        Credentials::Token(_)
    ));
}

#[test]
fn a_tool_is_what_the_code_says_unless_the_environment_says_another() {
    let tool = |pairs: &'static [(&str, &str)]| {
        builder().tool("MyPlugin", "1.2").overridden_by(env(pairs)).unwrap().build().unwrap().tool.unwrap()
    };
    assert_eq!(tool(&[]), ("MyPlugin".to_owned(), Some("1.2".to_owned())));
    let env = tool(&[("GAMELIFT_SDK_TOOL_NAME", "Other"), ("GAMELIFT_SDK_TOOL_VERSION", "9.9")]);
    assert_eq!(env, ("Other".to_owned(), Some("9.9".to_owned())));
}

#[test]
fn managed_resource_stands_for_a_process_id_that_is_made_up() {
    let id = |given: &str| builder().process_id(given).build().unwrap().process_id().to_owned();
    assert_eq!(id("ManagedResource").len(), 36);
    assert_ne!(id("ManagedResource"), id("ManagedResource"));
    assert_eq!(id("proc-1"), "proc-1");
}

#[test]
fn ids_that_the_service_would_refuse_are_refused_here() {
    assert!(builder().fleet_id("fleet 1").build().is_err());
    assert!(builder().host_id("a/b/c").build().is_err());
    assert!(builder().host_id("cluster/task").build().is_ok());
    assert!(builder().host_id("/task").build().is_err());
    assert!(builder().process_id("p\u{7}").build().is_err());
    assert!(builder().process_id("p".repeat(257)).build().is_err());
}

#[test]
fn a_jitter_of_zero_is_legal_and_one_beyond_the_interval_is_not() {
    let with = |interval, jitter| {
        builder()
            .health_check(Duration::from_secs(interval), Duration::from_secs(jitter), Duration::ZERO)
            .build()
    };
    assert!(with(60, 0).is_ok());
    assert!(with(5, 10).is_err());
}

#[test]
fn spread_and_patience_follow_the_interval_unless_set() {
    let times = |variables: &'static [(&str, &str)]| {
        let health = builder().overridden_by(env(variables)).unwrap().build().unwrap().health;
        (health.interval.as_secs(), health.jitter.as_secs(), health.patience.as_secs())
    };
    assert_eq!(times(&[]), (60, 10, 50));
    assert_eq!(times(&[("HEALTHCHECK_INTERVAL", "6s")]), (6, 1, 5));
    assert_eq!(times(&[("HEALTHCHECK_INTERVAL", "6s"), ("HEALTHCHECK_MAX_JITTER", "0s")]), (6, 0, 6));
    assert_eq!(times(&[("HEALTHCHECK_TIMEOUT", "2s")]), (60, 10, 2));
}

#[test]
fn a_config_prints_without_its_secrets() {
    let printed = format!("{:?}", builder().region("r").keys("akey", "skey", None));
    assert!(!printed.contains("t0ken") && !printed.contains("skey"), "{printed}");
    assert!(!format!("{:?}", builder().build().unwrap()).contains("t0ken"));
}
