//! One request of the API beside plain axum with the same JSON.

use serde_json::{Value, json};

use crate::{
    client::{Client, request},
    floor::{self, Floor},
    rounds::{ROUNDS, Round, print, print_head, round, timed},
    subject::{self, Subject},
};

const GAME_SESSIONS: u16 = 1_000;
/// Requests per round. Tickets of one round wait together.
const REQUESTS: usize = 1_000;

pub(crate) fn measure() {
    let subject = subject::start(GAME_SESSIONS);
    let known = known(&subject);
    let ids: Vec<Value> = known.iter().map(|session| session["GameSessionId"].clone()).collect();
    let floor = floor::start(known);
    print_head();
    for signed in [false, true] {
        let name =
            if signed { "DescribeGameSessions, with SigV4" } else { "DescribeGameSessions by id, of 1,000" };
        let requests: Vec<Vec<u8>> = ids
            .iter()
            .map(|id| request("DescribeGameSessions", &json!({ "GameSessionId": id }), signed))
            .collect();
        compare(name, &floor, &subject, |_| requests.clone(), |_, _| {});
    }
    for signed in [false, true] {
        let name = if signed { "StartMatchmaking, with SigV4" } else { "StartMatchmaking" };
        // A ticket's id is used once.
        let id = |round: usize, number: usize| format!("ticket-{signed}-{round}-{number}");
        let requests = |round| {
            let one = |number| request("StartMatchmaking", &ticket(&id(round, number), number), signed);
            (0..REQUESTS).map(one).collect()
        };
        compare(name, &floor, &subject, requests, |client, round| {
            for number in 0..REQUESTS {
                client.call("StopMatchmaking", &json!({ "TicketId": id(round, number) }));
            }
        });
    }
}

/// So far apart that nobody is matched.
fn ticket(id: &str, number: usize) -> Value {
    json!({
        "TicketId": id,
        "ConfigurationName": "default",
        "Players": [{
            "PlayerId": format!("player-{number}"),
            "PlayerAttributes": { "skill": { "N": number as f64 * 1_000.0 } },
            "LatencyInMs": { "custom-laptop": 20 },
        }],
    })
}

fn known(subject: &Subject) -> Vec<Value> {
    let mut client = Client::connect(&subject.api);
    let mut known = Vec::new();
    let mut input = json!({ "FleetId": subject.wish["FleetId"] });
    loop {
        let mut page = client.call("DescribeGameSessions", &input);
        let Value::Array(sessions) = page["GameSessions"].take() else { panic!("a list") };
        known.extend(sessions);
        match page["NextToken"].take() {
            Value::Null => return known,
            token => input["NextToken"] = token,
        }
    }
}

/// The first of `requests` are sent before anything is measured. `clear` comes behind each round, unmeasured.
fn compare(
    name: &str,
    floor: &Floor,
    subject: &Subject,
    requests: impl Fn(usize) -> Vec<Vec<u8>>,
    clear: impl Fn(&mut Client, usize),
) {
    let (mut to_floor, mut to_subject) = (Client::connect(&floor.api), Client::connect(&subject.api));
    for request in requests(0) {
        same_answers(&mut to_floor, &mut to_subject, &request);
    }
    clear(&mut to_subject, 0);
    let (mut floors, mut subjects): (Vec<Round>, Vec<Round>) = (Vec::new(), Vec::new());
    for number in 1..=ROUNDS {
        let requests = requests(number);
        let send = |client: &mut Client, request: &[u8]| timed(|| assert_eq!(client.send(request), 200));
        floors.push(round(&floor.cpu, requests.len(), |request| send(&mut to_floor, &requests[request])));
        subjects
            .push(round(&subject.cpu, requests.len(), |request| send(&mut to_subject, &requests[request])));
        clear(&mut to_subject, number);
    }
    print(name, &floors, &subjects);
}

/// A floor that answers less would be too low.
fn same_answers(to_floor: &mut Client, to_subject: &mut Client, request: &[u8]) {
    to_floor.send(request);
    to_subject.send(request);
    let (mut floor, mut subject) = (to_floor.json(), to_subject.json());
    for answer in [&mut floor, &mut subject] {
        if let Some(ticket) = answer.get_mut("MatchmakingTicket").and_then(Value::as_object_mut) {
            ticket.remove("StartTime");
            // Comes with the first search, so only some answers have it.
            ticket.remove("EstimatedWaitTime");
        }
    }
    assert_eq!(floor, subject);
}
