//! AWS's published vectors ("aws-sig-v4-test-suite", in the form with context.json that the AWS SDKs test with): each request
//! is accepted with its published signature, in the header and as a presigned URL, and with no byte of it changed.

use std::time::{Duration, SystemTime};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::super::{Granted, Query, Refusal, Request, Terms, canonical, sha256, verify_as};

const ACCESS_KEY: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const HOST: &str = "example.amazonaws.com";
const TIME: &str = "20150830T123600Z";
const SCOPE: &str = "20150830/us-east-1/service/aws4_request";
const TERMS: Terms<'static> =
    Terms { region: "us-east-1", service: "service", presigned_max: Duration::from_secs(3_600) };

/// 2015-08-30 12:36:00 UTC.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160)
}

/// One request of the suite. What all have in common is not said again: the key, the host, the time.
#[derive(Clone, Copy, Debug)]
struct Vector {
    name: &'static str,
    method: &'static str,
    path: &'static str,
    query: &'static str,
    headers: &'static [(&'static str, &'static str)],
    /// With its hash in `x-amz-content-sha256` if it is signed in the header.
    body: &'static str,
    token: Option<&'static str>,
    /// Whether the token was there when it was signed.
    token_signed: bool,
    /// The signature in the header.
    header: &'static str,
    /// The signature of the presigned URL.
    presigned: &'static str,
}

const GET: Vector = Vector {
    name: "",
    method: "GET",
    path: "/",
    query: "",
    headers: &[],
    body: "",
    token: None,
    token_signed: true,
    header: "",
    presigned: "",
};
const POST: Vector = Vector { method: "POST", ..GET };

const LONG_TOKEN: &str = concat!(
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7",
    "mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d",
    "+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
);

const ACCEPTED: &[Vector] = &[
    Vector {
        name: "get-vanilla, get-vanilla-query",
        header: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        presigned: "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d",
        ..GET
    },
    Vector {
        name: "get-vanilla-with-session-token",
        token: Some("6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"),
        header: "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
        presigned: "7ff2b50b376cb4d151970630573d6291dc128cc5c2a12ffb237f73cc53f67b6c",
        ..GET
    },
    Vector {
        name: "get-vanilla-empty-query-key",
        query: "Param1=value1",
        header: "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
        presigned: "49096700cbbaa5753443850f40df10f904fc2fdb544dc9512203cc77c471a9de",
        ..GET
    },
    Vector {
        name: "get-vanilla-query-order-encoded",
        query: "Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
        header: "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
        presigned: "c5f1848ceec943ac2ca68ee720460c23aaae30a2300586597ada94c4a65e4787",
        ..GET
    },
    Vector {
        name: "get-vanilla-query-order-key-case",
        query: "Param2=value2&Param1=value1",
        header: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        presigned: "86012e2c9ad4d77369f5d81c11f75158aae4f895a085212cc6d3f923d300bed5",
        ..GET
    },
    Vector {
        name: "get-vanilla-query-unreserved",
        query: concat!(
            "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            "=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        ),
        header: "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
        presigned: "8e76a88a7433637b12778d5592799b29ad21ecd6cf6325051c21d86f0acda2bf",
        ..GET
    },
    // As published, bytes beyond ASCII that HTTP does not allow; encoded they are the same parameter.
    Vector {
        name: "get-vanilla-utf8-query",
        query: "ሴ=bar",
        header: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
        presigned: "0bdd809b1519ac4f0c1dc3540e2cc46bd0c7f778eda408b2ebf3b913d21ff600",
        ..GET
    },
    Vector {
        name: "get-vanilla-utf8-query, encoded",
        query: "%E1%88%B4=bar",
        header: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
        presigned: "0bdd809b1519ac4f0c1dc3540e2cc46bd0c7f778eda408b2ebf3b913d21ff600",
        ..GET
    },
    // The suite's paths are not encoded, and are encoded once. What comes over HTTP is encoded and is so once more, so these two
    // only fit as published.
    Vector {
        name: "get-utf8",
        path: "/ሴ",
        header: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
        presigned: "10eae3f14a260bd3911cc6d008d3c576d143b05b62f09782a7a4b37f52178e44",
        ..GET
    },
    Vector {
        name: "get-space-normalized, get-space-unnormalized",
        path: "/example space/",
        header: "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
        presigned: "7a1f416954786484c9824d93c1f26ef64acb9b1b6c9154d08c9f07d0e394abf6",
        ..GET
    },
    Vector {
        name: "get-unreserved",
        path: concat!("/", "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
        header: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        presigned: "95968482db1b9e0fadef6efc1bd24689f77c77d9ef56919c96a28cc92e0d6005",
        ..GET
    },
    Vector {
        name: "get-slash-pointless-dot-normalized, as a client sends it that normalizes",
        path: "/example",
        header: "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
        presigned: "35034b1a0bdd969f346975386daf8aedfd4976573b8348cf4f67eaa41c5857de",
        ..GET
    },
    Vector {
        name: "get-slashes-normalized, as a client sends it that normalizes",
        path: "/example/",
        header: "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
        presigned: "c1834e8fb0307243711f0f907f6ab7311ed300d87f13792d7ee4da89ab93e082",
        ..GET
    },
    Vector {
        name: "get-header-value-trim",
        headers: &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
        header: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        presigned: "e7bb0fd515e125e1aec2ecc4c0c17484fb06f6846b927c35e46005dd3df3acd4",
        ..GET
    },
    // A line may go on in the next one only until a server reads it, which makes spaces of that (RFC 9112, 5.2).
    Vector {
        name: "get-header-value-multiline, unfolded",
        headers: &[("my-header1", "value1   value2      value3")],
        header: "cfd34249e4b1c8d6b91ef74165d41a32e5fab3306300901bb65a51a73575eefd",
        presigned: "e6f5def831211aca02987a44b96826706278c7bc078112ae0263659c5b2f2d56",
        ..GET
    },
    Vector {
        name: "get-header-key-duplicate, combined",
        headers: &[("my-header1", "value2,value2,value1")],
        header: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        presigned: "3349ee0b81b4b589da0ff28a395c3591e04de515651dd74f298fa992d1507a97",
        ..GET
    },
    Vector {
        name: "get-header-value-order, combined",
        headers: &[("my-header1", "value4,value1,value3,value2")],
        header: "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
        presigned: "313720e71ca6202fdcfa9b20f88de01a4eb0638a83c833b1c184359a4eda864e",
        ..GET
    },
    Vector {
        name: "post-vanilla, post-header-key-case",
        header: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        presigned: "2ce6e6d2e0cf2f9d1b55fafec88cd20574c31dc2e7631979f71ba2310083e95b",
        ..POST
    },
    Vector {
        name: "post-header-key-sort",
        headers: &[("my-header1", "value1")],
        header: "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
        presigned: "c09d07e0d55871f10f2a6d350d994acf6825a3cae70673d7def55616e6119dd7",
        ..POST
    },
    Vector {
        name: "post-header-value-case",
        headers: &[("my-header1", "VALUE1")],
        header: "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
        presigned: "0698bc9e4f7f9139065ba2909c0e99da257e8e2a42492a097bcd46d792391fed",
        ..POST
    },
    Vector {
        name: "post-vanilla-query, post-vanilla-empty-query-value",
        query: "Param1=value1",
        header: "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
        presigned: "a9ef26247f293bffe40eeff86a0480ba8c14d31503b2e0c3399e3a16bf1a3682",
        ..POST
    },
    Vector {
        name: "post-sts-header-before",
        token: Some(LONG_TOKEN),
        header: "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
        presigned: "46c2e3c63c1dbe7d39f8ada16fe7f001c1f56c5791441565323677f96308871c",
        ..POST
    },
    Vector {
        name: "post-x-www-form-urlencoded",
        headers: &[("content-length", "13"), ("content-type", "application/x-www-form-urlencoded")],
        body: "Param1=value1",
        header: "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
        presigned: "89a40deed0f26f9461242825a082d2222717248abc7ab41f552ad84a94ad46e9",
        ..POST
    },
    Vector {
        name: "post-x-www-form-urlencoded-parameters",
        headers: &[
            ("content-length", "13"),
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
        ],
        body: "Param1=value1",
        header: "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422",
        presigned: "0dbeb9b026c7b6675f266b8427efec9b4fa8b1f6ef1477d717aea231106eab4d",
        ..POST
    },
];

/// A token that came to the request after it was signed: a header may, a parameter of the query may not (only AWS IoT wants it
/// so).
const STS_HEADER_AFTER: Vector = Vector {
    name: "post-sts-header-after",
    token: Some(LONG_TOKEN),
    token_signed: false,
    header: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    presigned: "2ce6e6d2e0cf2f9d1b55fafec88cd20574c31dc2e7631979f71ba2310083e95b",
    ..POST
};

/// What can be read in two ways is refused although it is signed: paths that some normalize and some do not (both signatures),
/// headers and parameters that are there more than once. No SDK sends these to API Gateway.
const REFUSED: &[Vector] = &[
    Vector { name: "get-relative-normalized", path: "/example/..", ..ROOT },
    Vector { name: "get-relative-relative-normalized", path: "/example1/example2/../..", ..ROOT },
    Vector { name: "get-slash-normalized", path: "//", ..ROOT },
    Vector { name: "get-slash-dot-slash-normalized", path: "/./", ..ROOT },
    Vector {
        name: "get-slash-pointless-dot-normalized",
        path: "/./example",
        header: "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
        presigned: "35034b1a0bdd969f346975386daf8aedfd4976573b8348cf4f67eaa41c5857de",
        ..GET
    },
    Vector {
        name: "get-slashes-normalized",
        path: "//example//",
        header: "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
        presigned: "c1834e8fb0307243711f0f907f6ab7311ed300d87f13792d7ee4da89ab93e082",
        ..GET
    },
    // S3's way, whose keys may be called anything.
    Vector {
        name: "get-relative-unnormalized",
        path: "/example/..",
        header: "eca7ead57bb5aa5c8e28007acd4ff04e1ff9a0ff3b237ec1554a184887ff9282",
        presigned: "cbcb213b928a077e43275df47b500f1dfaa864ab3f5a18f6b95f4ff0938167ee",
        ..GET
    },
    Vector {
        name: "get-relative-relative-unnormalized",
        path: "/example1/example2/../..",
        header: "dc33e0856fd4baca4d7aa2146c38958283844764f38c74252a333df5e613003b",
        presigned: "b45db0bfd1cf15003493b733e33aa208dd981bd0e63037a6ed953f71d2118a16",
        ..GET
    },
    Vector {
        name: "get-slash-unnormalized",
        path: "//",
        header: "c88bcd3d312d75078c0cd961d6deae3f4c754924b01669efcfcb439fd5e5b76e",
        presigned: "b2a9542809db687769200f56a844a03f2bd0291d6eb90232d5101c6a579446cd",
        ..GET
    },
    Vector {
        name: "get-slash-dot-slash-unnormalized",
        path: "/./",
        header: "68714168e6557f8f2de0ef956fc24dc2593a4bd2961f8df51898d8a134695145",
        presigned: "a9b13e8f3484d9505bf1a6f347219f8f35b0fe8f128ceea597efc146a3dfe90c",
        ..GET
    },
    Vector {
        name: "get-slash-pointless-dot-unnormalized",
        path: "/./example",
        header: "beb03f223f7deae4146464f06e29eebbee9c8afbe15c290cf07aa8b119e14cff",
        presigned: "72b11f16d9530b18204bfb71f2d6ab085894c0ed8d352730a6e76234c58b5e10",
        ..GET
    },
    Vector {
        name: "get-slashes-unnormalized",
        path: "//example//",
        header: "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5",
        presigned: "822a5a9ba28072c5ab2bb4a6307d0c88276d40e49fec6b724c03fb4d4ba60fc2",
        ..GET
    },
    Vector {
        name: "get-header-key-duplicate",
        headers: &[("my-header1", "value2"), ("my-header1", "value2"), ("my-header1", "value1")],
        header: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        presigned: "3349ee0b81b4b589da0ff28a395c3591e04de515651dd74f298fa992d1507a97",
        ..GET
    },
    Vector {
        name: "get-header-value-order",
        headers: &[
            ("my-header1", "value4"),
            ("my-header1", "value1"),
            ("my-header1", "value3"),
            ("my-header1", "value2"),
        ],
        header: "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
        presigned: "313720e71ca6202fdcfa9b20f88de01a4eb0638a83c833b1c184359a4eda864e",
        ..GET
    },
];
/// Normalized, these paths are the root.
const ROOT: Vector = ACCEPTED[0];

/// A request on the wire.
#[derive(Clone, Debug)]
struct Wire {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: String,
    token: Option<&'static str>,
}

impl Vector {
    fn wire(&self) -> Wire {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut headers: Vec<_> = self.headers.iter().map(own).collect();
        headers.push(own(&("host", HOST)));
        let own = str::to_owned;
        Wire {
            method: own(self.method),
            path: own(self.path),
            query: own(self.query),
            headers,
            body: own(self.body),
            token: self.token,
        }
    }

    /// Signed in the header.
    fn signed(&self) -> Wire {
        let mut wire = self.wire();
        wire.headers.push(("x-amz-date".to_owned(), TIME.to_owned()));
        if !self.body.is_empty() {
            wire.headers.push(("x-amz-content-sha256".to_owned(), sha256(self.body.as_bytes())));
        }
        let mut signed = wire.names();
        if let Some(token) = self.token {
            wire.headers.push(("x-amz-security-token".to_owned(), token.to_owned()));
            if self.token_signed {
                signed = wire.names();
            }
        }
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{SCOPE}, SignedHeaders={}, Signature={}",
            signed.join(";"),
            self.header
        );
        wire.headers.push(("authorization".to_owned(), authorization));
        wire
    }

    /// As a presigned URL.
    fn presigned(&self) -> Wire {
        let mut wire = self.wire();
        let mut parameters = vec![
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256".to_owned()),
            ("X-Amz-Credential", format!("{ACCESS_KEY}/{SCOPE}")),
            ("X-Amz-Date", TIME.to_owned()),
            ("X-Amz-SignedHeaders", wire.names().join(";")),
            ("X-Amz-Expires", "3600".to_owned()),
        ];
        parameters.extend(self.token.map(|token| ("X-Amz-Security-Token", token.to_owned())));
        parameters.push(("X-Amz-Signature", self.presigned.to_owned()));
        for (name, value) in parameters {
            let joint = if wire.query.is_empty() { "" } else { "&" };
            wire.query.push_str(&format!("{joint}{name}={}", super::utf8(&value)));
        }
        wire
    }
}

impl Wire {
    /// The names of the headers that are there by now, to be signed.
    fn names(&self) -> Vec<String> {
        let names: std::collections::BTreeSet<_> =
            self.headers.iter().map(|(name, _)| name.clone()).collect();
        names.into_iter().collect()
    }

    fn verify(&self) -> Result<(), Refusal> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("the name of a header");
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).expect("the value of a header"));
        }
        let request = Request {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &headers,
            authority: None,
            body: self.body.as_bytes(),
        };
        verify_as(request, TERMS, now(), |key, token| {
            if key == ACCESS_KEY && token == self.token {
                Ok(Granted { secret_key: SECRET.to_owned(), owner: () })
            } else {
                Err(Refusal::unrecognized())
            }
        })
    }

    /// All its texts.
    fn parts(&mut self) -> Vec<&mut String> {
        let Self { method, path, query, headers, body, .. } = self;
        let values = headers.iter_mut().map(|(_, value)| value);
        [method, path, query, body].into_iter().chain(values).collect()
    }

    /// This request with each character changed in turn to a letter that is another in any case of it.
    fn changed(&self) -> Vec<Self> {
        let mut changed = Vec::new();
        let parts = self.clone().parts().len();
        for part in 0..parts {
            let text = self.clone().parts()[part].clone();
            for (at, old) in text.char_indices() {
                let new = if old.eq_ignore_ascii_case(&'q') { "r" } else { "q" };
                let mut wire = self.clone();
                wire.parts()[part].replace_range(at..at + old.len_utf8(), new);
                changed.push(wire);
            }
        }
        changed
    }
}

#[test]
fn every_vector_is_accepted_in_the_header_and_in_the_query() {
    for vector in ACCEPTED {
        assert_eq!(vector.signed().verify(), Ok(()), "{}", vector.name);
        assert_eq!(vector.presigned().verify(), Ok(()), "{}, presigned", vector.name);
    }
}

#[test]
fn no_vector_is_accepted_with_one_character_changed() {
    for vector in ACCEPTED.iter().chain([&STS_HEADER_AFTER]) {
        for wire in [vector.signed(), vector.presigned()].iter().flat_map(Wire::changed) {
            assert!(wire.verify().is_err(), "{}: {wire:?}", vector.name);
        }
    }
}

#[test]
fn a_token_may_be_added_to_a_signed_request_but_not_to_a_presigned_url() {
    assert_eq!(STS_HEADER_AFTER.signed().verify(), Ok(()));
    assert_eq!(STS_HEADER_AFTER.presigned().verify(), Err(Refusal::mismatch()));
}

#[test]
fn what_can_be_read_in_two_ways_is_refused_by_rule_though_its_signature_is_published() {
    for vector in REFUSED {
        for wire in [vector.signed(), vector.presigned()] {
            let refusal = wire.verify().expect_err(vector.name);
            assert_ne!(refusal, Refusal::mismatch(), "{}", vector.name);
        }
    }
}

#[test]
fn parameters_that_are_there_twice_are_refused_by_rule() {
    // get-vanilla-query-order-key and get-vanilla-query-order-value of the suite's first edition.
    for query in ["Param1=value2&Param1=Value1", "Param1=value2&Param1=value1"] {
        assert!(Query::parse(query).is_err(), "{query}");
    }
}

#[test]
fn a_path_that_is_encoded_is_encoded_again() {
    // The two requests that smithy-rs adds to the suite: a connection of a WebSocket API, and a function's ARN.
    for (sent, wanted) in [
        ("/test/@connections/JBDvjfGEIAMCERw%3D", "/test/%40connections/JBDvjfGEIAMCERw%253D"),
        ("/2015-03-31/functions/arn%3Aaws%3Alambda", "/2015-03-31/functions/arn%253Aaws%253Alambda"),
    ] {
        assert_eq!(canonical::path(sent).as_deref(), Ok(wanted));
    }
}
