//! The upgrade query, both ways and in every dialect.
#![cfg(test)]

use gamelift_wire::connect::{Authorization, ConnectQuery, QueryError, SigV4};
use gamelift_wire::ids::AuthToken;
use proptest::prelude::*;

fn query(authorization: Authorization) -> ConnectQuery {
    ConnectQuery {
        authorization,
        compute_id: "host-1".into(),
        fleet_id: "fleet-1".into(),
        idempotency_token: "i-1".into(),
        process_id: "proc-1".into(),
        sdk_language: "Rust".into(),
        sdk_version: "5.6.0".into(),
    }
}

fn token(text: &str) -> Authorization {
    Authorization::Token(AuthToken::new_unchecked(text))
}

#[test]
fn keys_stand_in_byte_order_and_values_are_encoded_by_rfc_3986() {
    assert_eq!(
        query(token("a+b/c=d&e%f~ g")).to_query(),
        "Authorization=a%2Bb%2Fc%3Dd%26e%25f~%20g&ComputeId=host-1&FleetId=fleet-1&IdempotencyToken=i-1\
         &pID=proc-1&sdkLanguage=Rust&sdkVersion=5.6.0"
    );
}

#[test]
fn signature_parameters_stand_between_the_idempotency_token_and_the_process() {
    let signed = query(Authorization::SigV4(SigV4 {
        credential: "AKID/20240805/us-east-1/gamelift/aws4_request".into(),
        date: "20240805T100000Z".into(),
        signature: "abc123".into(),
        security_token: Some("tok+en".into()),
    }));
    assert_eq!(
        signed.to_query(),
        "Authorization=SigV4&ComputeId=host-1&FleetId=fleet-1&IdempotencyToken=i-1\
         &X-Amz-Algorithm=AWS4-HMAC-SHA256\
         &X-Amz-Credential=AKID%2F20240805%2Fus-east-1%2Fgamelift%2Faws4_request\
         &X-Amz-Date=20240805T100000Z&X-Amz-Security-Token=tok%2Ben&X-Amz-Signature=abc123\
         &pID=proc-1&sdkLanguage=Rust&sdkVersion=5.6.0"
    );
    assert_eq!(ConnectQuery::parse(&signed.to_query()), Ok(signed));
}

#[test]
fn raw_characters_read_as_cpp_means_them() {
    let read =
        ConnectQuery::parse("Authorization=a+b/c=d%f~&ComputeId=host-1&FleetId=fleet-1&pID=proc-1").unwrap();
    assert_eq!(read.authorization, token("a+b/c=d%f~"));
}

#[test]
fn a_base_url_with_a_query_of_its_own_reads_as_cpp_mangles_it() {
    let read =
        ConnectQuery::parse("x=1/?Authorization=t&ComputeId=host-1&FleetId=fleet-1&pID=proc-1").unwrap();
    assert_eq!(read.authorization, token("t"));
}

#[test]
fn a_missing_or_empty_key_is_named() {
    let parse = |text: &str| ConnectQuery::parse(text).unwrap_err();
    assert_eq!(parse(""), QueryError::Missing { key: "pID" });
    assert_eq!(parse("pID=p&FleetId=f"), QueryError::Missing { key: "ComputeId" });
    assert_eq!(parse("pID=p&ComputeId=c&FleetId="), QueryError::Missing { key: "FleetId" });
}

#[test]
fn no_authorization_is_for_the_service_to_refuse() {
    let read = ConnectQuery::parse("ComputeId=host-1&FleetId=fleet-1&pID=proc-1").unwrap();
    assert_eq!(read.authorization, Authorization::None);
    assert!(!query(Authorization::None).to_query().contains("Authorization"));
}

#[test]
fn a_query_prints_without_its_token() {
    assert!(!format!("{:?}", query(token("s3cret"))).contains("s3cret"));
}

proptest! {
    #[test]
    fn whatever_the_values_they_read_back_the_same(auth in ".{1,40}", compute in ".{1,20}", process in ".{1,20}") {
        prop_assume!(auth != "SigV4");
        let mut sent = query(token(&auth));
        sent.compute_id = compute;
        sent.process_id = process;
        prop_assert_eq!(ConnectQuery::parse(&sent.to_query()), Ok(sent));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in ".*") {
        let _ = ConnectQuery::parse(&text);
    }
}
