//! Custom locations.

use super::{Tag, answer, request};

request! {
    /// Input of CreateLocation.
    CreateLocationInput {
        /// 8 to 64 characters, beginning with `custom-`. Required.
        location_name: String => required CUSTOM_LOCATION,
        /// Labels, 200 at most.
        tags: Vec<Tag> => optional TAGS,
    }
}

answer! {
    /// Output of CreateLocation.
    CreateLocationOutput {
        /// The new location.
        location: LocationModel,
    }
}

request! {
    /// Input of DeleteLocation.
    DeleteLocationInput {
        /// Name or ARN of a custom location. Required.
        location_name: String => required CUSTOM_LOCATION_OR_ARN,
    }
}

answer! {
    /// Output of operations that answer with an empty structure.
    Empty {}
}

request! {
    /// Input of ListLocations.
    ListLocationsInput {
        /// `AWS`, `CUSTOM` or both; both when absent.
        filters: Vec<String> => optional List(1..=2, OneOf(&["AWS", "CUSTOM"])),
        /// Most locations per page: 1 to 200.
        limit: i64 => optional Range(1..=200),
        /// Where the previous page ended.
        next_token: String => optional NON_ZERO_AND_MAX,
    }
}

answer! {
    /// Output of ListLocations.
    ListLocationsOutput {
        /// One page.
        locations: Vec<LocationModel>,
        ; optional:
        /// Present when more pages exist.
        next_token: String,
    }
}

answer! {
    /// A location that fleets can have.
    LocationModel {
        /// Its name.
        location_name: String,
        /// Its ARN.
        location_arn: String,
        ; optional:
        /// With what players measure their latency to it. On AWS only Regions have one.
        ping_beacon: PingBeacon,
    }
}

answer! {
    /// With what players measure their latency to a location.
    PingBeacon {
        /// An echo service.
        #[serde(rename = "UDPEndpoint")]
        udp_endpoint: UdpEndpoint,
    }
}

answer! {
    /// Where a UDP service is.
    UdpEndpoint {
        /// Name or address.
        domain: String,
        /// Port.
        port: u16,
    }
}
