//! Messages byte for byte, and their signatures, which ring verifies: not what has signed with SHA-1.

use std::sync::OnceLock;

use ring::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, RsaParameters,
    UnparsedPublicKey,
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde_json::Value;

use super::*;

const TOPIC: &str = "arn:aws:sns:us-west-2:123456789012:gamelift-local";
const ARN: &str = "arn:aws:sns:us-west-2:123456789012:gamelift-local:1111";
const MINE: &str = "arn:aws:sns:us-west-2:123456789012:mine";

/// Making a key takes a moment: one is enough.
fn signer() -> Arc<Signer> {
    static SIGNER: OnceLock<Arc<Signer>> = OnceLock::new();
    SIGNER.get_or_init(|| Arc::new(Signer::generate().unwrap())).clone()
}

fn subscriber() -> Subscriber {
    Subscriber {
        links: Links { base: "http://127.0.0.1:9082".to_owned(), topic: TOPIC.to_owned() },
        signer: signer(),
        version: SignatureVersion::Sha1,
        arn: ARN.to_owned(),
        token: "abc".to_owned(),
        topic: None,
        raw: false,
        ids: Mutex::new(Ids::new(1)),
    }
}

fn event(topic: Option<&str>) -> Event {
    let (id, json) = ("e-1".to_owned(), r#"{"version":"0"}"#.to_owned());
    Event { id, time: at(), topic_arn: topic.map(str::to_owned), json }
}

fn at() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_123)
}

/// The key in a certificate: a DER sequence with the modulus, of a length that only an RSA key of 2048 bits has.
fn public_key() -> Vec<u8> {
    let certificate = CertificateDer::from_pem_slice(signer().certificate.as_bytes()).unwrap();
    let start = certificate.windows(8).position(|bytes| bytes == [0x30, 0x82, 1, 10, 2, 0x82, 1, 1]).unwrap();
    certificate[start..start + 4 + 266].to_vec()
}

fn verify(version: SignatureVersion, signed: &str, body: &Value) {
    let algorithm: &RsaParameters = match version {
        SignatureVersion::Sha1 => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        SignatureVersion::Sha256 => &RSA_PKCS1_2048_8192_SHA256,
    };
    let key = UnparsedPublicKey::new(algorithm, public_key());
    let signature = BASE64_STANDARD.decode(body["Signature"].as_str().unwrap()).unwrap();
    key.verify(signed.as_bytes(), &signature).expect("the signature fits");
    key.verify(format!("{signed}x").as_bytes(), &signature).expect_err("and to nothing else");
}

#[test]
fn a_notification_carries_the_event_as_text_and_is_signed_in_either_version() {
    for version in [SignatureVersion::Sha1, SignatureVersion::Sha256] {
        let post = Subscriber { version, ..subscriber() }.event(&event(Some(MINE))).unwrap();
        let body: Value = serde_json::from_str(&post.body).unwrap();
        let golden = concat!(
            r#"{"Type":"Notification","MessageId":"e-1","TopicArn":"arn:aws:sns:us-west-2:123456789012:mine","#,
            r#""Message":"{\"version\":\"0\"}","Timestamp":"2023-11-14T22:13:20.123Z","SignatureVersion":"<version>","#,
            r#""Signature":"<signature>","SigningCertURL":"http://127.0.0.1:9082/sns/certificate.pem","#,
            r#""UnsubscribeURL":"http://127.0.0.1:9082/?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:us-west-2:123456789012:gamelift-local:1111"}"#,
        );
        let golden = golden.replace("<version>", version.as_str());
        assert_eq!(post.body, golden.replace("<signature>", body["Signature"].as_str().unwrap()));
        let signed = "Message\n{\"version\":\"0\"}\nMessageId\ne-1\nTimestamp\n2023-11-14T22:13:20.123Z\nTopicArn\narn:aws:sns:us-west-2:123456789012:mine\nType\nNotification\n";
        verify(version, signed, &body);
    }
}

#[test]
fn the_default_version_is_the_one_of_sns() {
    assert_eq!(SignatureVersion::default().as_str(), "1");
    assert_eq!("2".parse(), Ok(SignatureVersion::Sha256));
    assert_eq!("3".parse::<SignatureVersion>(), Err(crate::UnknownSignatureVersion));
}

#[test]
fn confirmations_have_a_token_and_a_link_and_are_signed() {
    let link = format!("http://127.0.0.1:9082/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=abc");
    let subscriber = subscriber();
    for (kind, post, text) in [
        (
            "SubscriptionConfirmation",
            subscriber.hello(at()).unwrap().unwrap(),
            format!(
                "You have chosen to subscribe to the topic {TOPIC}.\nTo confirm the subscription, visit the SubscribeURL included in this message."
            ),
        ),
        (
            "UnsubscribeConfirmation",
            subscriber.goodbye(at()).unwrap().unwrap(),
            format!(
                "You have chosen to deactivate subscription {ARN}.\nTo cancel this operation and restore the subscription, visit the SubscribeURL included in this message."
            ),
        ),
    ] {
        let body: Value = serde_json::from_str(&post.body).unwrap();
        assert_eq!((&body["Type"], &body["Message"]), (&Value::from(kind), &Value::from(text.as_str())));
        assert_eq!((&body["SubscribeURL"], &body["UnsubscribeURL"]), (&Value::from(&*link), &Value::Null));
        assert_eq!(body["MessageId"], post.id);
        let signed = format!(
            "Message\n{text}\nMessageId\n{}\nSubscribeURL\n{link}\nTimestamp\n2023-11-14T22:13:20.123Z\nToken\nabc\nTopicArn\n{TOPIC}\nType\n{kind}\n",
            post.id
        );
        verify(SignatureVersion::Sha1, &signed, &body);
        let named = post.headers.iter().any(|(name, _)| *name == "x-amz-sns-subscription-arn");
        assert_eq!(
            named,
            kind == "UnsubscribeConfirmation",
            "there is no subscription before it is confirmed"
        );
    }
}

#[test]
fn raw_delivery_is_the_event_alone() {
    let post = Subscriber { raw: true, ..subscriber() }.event(&event(None)).unwrap();
    assert_eq!(post.body, r#"{"version":"0"}"#);
    assert!(post.headers.contains(&("x-amz-sns-rawdelivery", "true".to_owned())), "{:?}", post.headers);
    assert!(post.headers.contains(&("x-amz-sns-topic-arn", TOPIC.to_owned())), "the service's own topic");
    let hello = Subscriber { raw: true, ..subscriber() }.hello(at()).unwrap().unwrap();
    assert!(hello.body.contains("SubscribeURL"), "confirmations are never raw");
}

#[test]
fn a_subscriber_of_a_topic_wants_its_events_and_others_want_all() {
    let mine = Subscriber { topic: Some(MINE.to_owned()), ..subscriber() };
    assert_eq!((mine.wants(&event(Some(MINE))), mine.wants(&event(Some(TOPIC)))), (true, false));
    assert!(!mine.wants(&event(None)));
    let own = Subscriber { topic: Some(TOPIC.to_owned()), ..subscriber() };
    assert!(own.wants(&event(None)), "the service's own topic has the events that have none");
    assert!(subscriber().wants(&event(Some(MINE))) && subscriber().wants(&event(None)));
}
