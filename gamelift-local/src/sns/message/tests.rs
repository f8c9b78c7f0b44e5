//! Messages byte for byte, and their signatures.

use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::Value;

use super::*;

const TOPIC: &str = "arn:aws:sns:us-west-2:123456789012:gamelift-local";
const ARN: &str = "arn:aws:sns:us-west-2:123456789012:gamelift-local:1111";

fn links() -> Links {
    Links { base: "http://127.0.0.1:9082/sns".to_owned(), topic: TOPIC.to_owned() }
}

fn at() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_123)
}

fn verify(signed: &str, body: &Value) {
    let key = RsaKeyPair::from_pkcs8(include_bytes!("../signing-key.der")).unwrap();
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref().to_vec());
    let signature = BASE64_STANDARD.decode(body["Signature"].as_str().unwrap()).unwrap();
    key.verify(signed.as_bytes(), &signature).expect("the signature fits");
    key.verify(format!("{signed}x").as_bytes(), &signature).expect_err("and to nothing else");
}

#[test]
fn a_notification_carries_the_event_as_text_and_is_signed() {
    let event = Event {
        id: "e-1".to_owned(),
        time: at(),
        topic_arn: Some("arn:aws:sns:us-west-2:123456789012:mine".to_owned()),
        json: r#"{"version":"0"}"#.to_owned(),
    };
    let message = notification(&links(), &Signer::new().unwrap(), ARN, &event);
    let body: Value = serde_json::from_str(&message.body).unwrap();
    let golden = concat!(
        r#"{"Type":"Notification","MessageId":"e-1","TopicArn":"arn:aws:sns:us-west-2:123456789012:mine","#,
        r#""Message":"{\"version\":\"0\"}","Timestamp":"2023-11-14T22:13:20.123Z","SignatureVersion":"2","#,
        r#""Signature":"<signature>","SigningCertURL":"http://127.0.0.1:9082/sns/certificate.pem","#,
        r#""UnsubscribeURL":"http://127.0.0.1:9082/sns?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:us-west-2:123456789012:gamelift-local:1111"}"#,
    );
    assert_eq!(message.body, golden.replace("<signature>", body["Signature"].as_str().unwrap()));
    assert_eq!((message.kind, message.id.as_str()), ("Notification", "e-1"));
    let signed = "Message\n{\"version\":\"0\"}\nMessageId\ne-1\nTimestamp\n2023-11-14T22:13:20.123Z\nTopicArn\narn:aws:sns:us-west-2:123456789012:mine\nType\nNotification\n";
    verify(signed, &body);
}

#[test]
fn a_confirmation_has_a_token_and_a_link_and_is_signed() {
    let message = confirmation(&links(), &Signer::new().unwrap(), ARN, "abc", at());
    let body: Value = serde_json::from_str(&message.body).unwrap();
    let link = format!("http://127.0.0.1:9082/sns?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=abc");
    assert_eq!(body["SubscribeURL"], link);
    assert_eq!((&body["Token"], &body["UnsubscribeURL"]), (&Value::from("abc"), &Value::Null));
    let text = body["Message"].as_str().unwrap();
    assert!(text.starts_with(&format!("You have chosen to subscribe to the topic {TOPIC}.\n")), "{text}");
    let signed = format!(
        "Message\n{text}\nMessageId\n1111\nSubscribeURL\n{link}\nTimestamp\n2023-11-14T22:13:20.123Z\nToken\nabc\nTopicArn\n{TOPIC}\nType\nSubscriptionConfirmation\n"
    );
    verify(&signed, &body);
}

#[test]
fn an_event_without_a_topic_goes_out_under_the_services_own() {
    let event = Event { id: "e".to_owned(), time: at(), topic_arn: None, json: "{}".to_owned() };
    assert_eq!(notification(&links(), &Signer::new().unwrap(), ARN, &event).topic, TOPIC);
}
