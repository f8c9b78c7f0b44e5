//! The environment, right and wrong.

use super::*;

const DIGEST: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// As the template sets it.
fn good() -> BTreeMap<&'static str, String> {
    let certificate = format!("fleet-1={DIGEST}");
    let topics = "arn:aws:sns:eu-west-1:123456789012:match,arn:aws:sns:eu-west-1:123456789012:placement";
    let variables = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "key-id"),
        ("AWS_SECRET_ACCESS_KEY", "top-secret"),
        ("AWS_SESSION_TOKEN", "session-secret"),
        ("BACKEND_TABLE", "arena-dev"),
        ("BACKEND_TOPICS", topics),
        ("BACKEND_FLEET_CERTIFICATES", &certificate),
        ("BACKEND_CONFIGURATION", "arena-dev"),
        ("BACKEND_TICKET_TIMEOUT_SECONDS", "60"),
        ("BACKEND_ACCEPTANCE_TIMEOUT_SECONDS", "20"),
        ("BACKEND_QUEUE", "arena-dev"),
        ("BACKEND_WEBSOCKET_URL", "https://abc.execute-api.eu-west-1.amazonaws.com/dev"),
    ];
    variables.map(|(name, value)| (name, value.to_owned())).into()
}

fn read(variables: &BTreeMap<&'static str, String>) -> Result<Config, ConfigError> {
    let lookup = |name: &str| variables.get(name).cloned();
    websocket_url(&lookup)?;
    Config::calls(&lookup)
}

#[test]
fn what_the_template_sets_is_understood() {
    let config = read(&good()).unwrap();
    assert_eq!(config.table, "arena-dev");
    assert_eq!(config.aws.region, "eu-west-1");
    let settings = config.settings;
    assert_eq!(settings.configuration, "arena-dev");
    assert_eq!(settings.queue.as_deref(), Some("arena-dev"));
    assert_eq!(settings.topics.len(), 2);
    assert_eq!(settings.certificates, BTreeMap::from([("fleet-1".to_owned(), DIGEST.to_owned())]));
    assert_eq!(settings.acceptance_timeout, Duration::from_secs(20));
    assert_eq!(settings.ticket_timeout, Duration::from_secs(60 + 20 + 60));
}

#[test]
fn what_a_stack_has_not_is_empty() {
    let mut variables = good();
    for name in ["BACKEND_FLEET_CERTIFICATES", "BACKEND_QUEUE", "BACKEND_WEBSOCKET_URL", "AWS_SESSION_TOKEN"]
    {
        variables.insert(name, String::new());
    }
    let settings = read(&variables).unwrap().settings;
    assert_eq!((settings.queue, settings.certificates.len()), (None, 0));
}

#[test]
fn the_events_function_needs_no_configuration() {
    let mut variables = good();
    variables.retain(|name, _| !name.contains("CONFIGURATION") && !name.contains("SECONDS"));
    assert!(Config::events(&|name: &str| variables.get(name).cloned()).is_ok());
    assert!(matches!(read(&variables), Err(ConfigError::Missing { variable: "BACKEND_CONFIGURATION", .. })));
}

#[test]
fn a_variable_that_is_missing_is_named_with_its_rule() {
    let optional =
        ["AWS_SESSION_TOKEN", "BACKEND_FLEET_CERTIFICATES", "BACKEND_QUEUE", "BACKEND_WEBSOCKET_URL"];
    for name in good().into_keys() {
        let mut variables = good();
        variables.remove(name);
        let text = read(&variables).map_err(|error| error.to_string());
        match text {
            Ok(_) => assert!(optional.contains(&name), "{name}"),
            Err(text) => assert!(text.starts_with(&format!("{name} is not set: it must be ")), "{text}"),
        }
    }
}

#[test]
fn a_variable_that_is_wrong_is_named_with_its_rule_and_value() {
    let wrong = [
        ("AWS_REGION", "Ireland!"),
        ("BACKEND_TABLE", "ab"),
        ("BACKEND_TABLE", "a table"),
        ("BACKEND_TOPICS", "match"),
        ("BACKEND_TOPICS", "arn:aws:sns:eu-west-1:123456789012:match,"),
        ("BACKEND_TOPICS", "arn:aws:sqs:eu-west-1:123456789012:match"),
        ("BACKEND_FLEET_CERTIFICATES", "fleet-1"),
        ("BACKEND_FLEET_CERTIFICATES", "fleet-1=abcd"),
        ("BACKEND_CONFIGURATION", "two words"),
        ("BACKEND_TICKET_TIMEOUT_SECONDS", "0"),
        ("BACKEND_TICKET_TIMEOUT_SECONDS", "43201"),
        ("BACKEND_TICKET_TIMEOUT_SECONDS", "1m"),
        ("BACKEND_ACCEPTANCE_TIMEOUT_SECONDS", "601"),
        ("BACKEND_QUEUE", "two words"),
        ("BACKEND_WEBSOCKET_URL", "wss://abc.execute-api.eu-west-1.amazonaws.com/dev"),
        ("BACKEND_WEBSOCKET_URL", "http://abc.execute-api.eu-west-1.amazonaws.com/dev"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "localhost:8000"),
        ("AWS_ENDPOINT_URL_GAMELIFT", "ftp://localhost"),
    ];
    for (name, value) in wrong {
        let mut variables = good();
        variables.insert(name, value.to_owned());
        let text = read(&variables).unwrap_err().to_string();
        assert!(text.starts_with(&format!("{name} must be ")), "{text}");
        assert!(text.ends_with(&format!(", not {value:?}")), "{text}");
    }
}

#[test]
fn endpoints_may_be_on_this_machine() {
    let mut variables = good();
    for name in ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_GAMELIFT", "BACKEND_WEBSOCKET_URL"] {
        variables.insert(name, "http://127.0.0.1:8000".to_owned());
    }
    let aws = read(&variables).unwrap().aws;
    assert!(aws.dynamodb.is_some() && aws.game_lift.is_some());
}

#[test]
fn the_credentials_are_in_no_log() {
    let text = format!("{:?}", read(&good()).unwrap());
    assert!(!text.contains("secret\"") && !text.contains("top-secret") && !text.contains("session-secret"));
}
