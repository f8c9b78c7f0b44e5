//! The gate: who gets in, who is told what, and that GameLift never counts a player who is not here.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use game_proto::{Hello, PROTOCOL_VERSION};
use gamelift_server_sdk::PlayerSessionId;
use proptest::prelude::*;
use sample_server::gate::{
    ACCEPT_ATTEMPTS_MAX, ACCEPT_RETRY_DELAY, ANSWER_TIMEOUT, AcceptAnswer, ConnId, Effect, FirstMessage,
    Gate, HELLO_TIMEOUT, JoinRefusal, Standing, UNVALIDATED_MAX,
};

const ADA: &str = "psess-ada";
const BOB: &str = "psess-bob";

fn id(text: &str) -> PlayerSessionId {
    text.parse().unwrap()
}

fn hello(text: &str) -> FirstMessage {
    FirstMessage::Hello(Hello { protocol_version: PROTOCOL_VERSION, player_session_id: text.to_owned() })
}

/// A gate with a clock, and what it wants done.
struct Bench {
    gate: Gate,
    now: Instant,
    next_conn: u64,
}

impl Bench {
    fn new(seats: usize) -> Self {
        let mut bench = Self::without_game_session();
        bench.gate.game_session_started(seats);
        bench
    }

    fn without_game_session() -> Self {
        Self { gate: Gate::new(), now: Instant::now(), next_conn: 0 }
    }

    fn connect(&mut self) -> ConnId {
        self.next_conn += 1;
        self.gate.connected(self.now, ConnId(self.next_conn));
        ConnId(self.next_conn)
    }

    fn connect_and_say(&mut self, message: FirstMessage) -> ConnId {
        let conn = self.connect();
        self.gate.first_message(self.now, conn, message);
        conn
    }

    fn accepted(&mut self, player: &str, answer: AcceptAnswer) {
        self.gate.accepted(self.now, &id(player), answer);
    }

    fn described(&mut self, player: &str, standing: Standing) {
        self.gate.described(self.now, &id(player), standing);
    }

    fn after(&mut self, duration: Duration) {
        self.now += duration;
        self.gate.handle_timeout(self.now);
    }

    fn effects(&mut self) -> Vec<Effect> {
        std::iter::from_fn(|| self.gate.poll_effect()).collect()
    }

    /// A player who is in.
    fn player(&mut self, player: &str) -> ConnId {
        let conn = self.connect_and_say(hello(player));
        self.accepted(player, AcceptAnswer::Yes);
        assert_eq!(self.effects(), [Effect::Accept(id(player)), Effect::Admit(conn)]);
        conn
    }
}

#[test]
fn nobody_is_let_in_before_the_service_says_yes() {
    let mut bench = Bench::new(2);
    let ada = bench.connect_and_say(hello(ADA));
    assert_eq!(bench.effects(), [Effect::Accept(id(ADA))]);
    bench.accepted(ADA, AcceptAnswer::Yes);
    assert_eq!(bench.effects(), [Effect::Admit(ada)]);
}

#[test]
fn what_can_be_refused_without_the_service_never_reaches_it() {
    let other_version = FirstMessage::Hello(Hello {
        protocol_version: PROTOCOL_VERSION + 1,
        player_session_id: ADA.to_owned(),
    });
    for (message, refusal) in [
        (FirstMessage::Garbage, JoinRefusal::BadHello),
        (hello(""), JoinRefusal::BadHello),
        (hello("no spaces"), JoinRefusal::BadHello),
        (hello(&"p".repeat(257)), JoinRefusal::BadHello),
        (other_version, JoinRefusal::VersionMismatch),
    ] {
        let mut bench = Bench::new(2);
        let conn = bench.connect_and_say(message);
        assert_eq!(bench.effects(), [Effect::Refuse(conn, refusal)]);
        assert_eq!(bench.gate.unvalidated(), 0);
    }
}

#[test]
fn without_a_game_session_everybody_is_refused() {
    let mut bench = Bench::without_game_session();
    let ada = bench.connect_and_say(hello(ADA));
    assert_eq!(bench.effects(), [Effect::Refuse(ada, JoinRefusal::NoGameSession)]);
}

#[test]
fn id_that_the_service_refuses_is_refused_and_forgotten() {
    let mut bench = Bench::new(2);
    let ada = bench.connect_and_say(hello(ADA));
    bench.accepted(ADA, AcceptAnswer::No);
    assert_eq!(
        bench.effects(),
        [Effect::Accept(id(ADA)), Effect::Refuse(ada, JoinRefusal::RefusedByService)]
    );
    assert_eq!(bench.gate.ids_taken(), 0);
}

#[test]
fn id_in_use_is_refused_while_it_is_asked_about_plays_or_is_being_removed() {
    let mut bench = Bench::new(2);
    let ada = bench.connect_and_say(hello(ADA));
    let thief = bench.connect_and_say(hello(ADA));
    assert_eq!(
        bench.effects(),
        [Effect::Accept(id(ADA)), Effect::Refuse(thief, JoinRefusal::AlreadyPresented)]
    );

    bench.accepted(ADA, AcceptAnswer::Yes);
    let thief = bench.connect_and_say(hello(ADA));
    assert_eq!(bench.effects(), [Effect::Admit(ada), Effect::Refuse(thief, JoinRefusal::AlreadyPresented)]);

    bench.gate.disconnected(ada);
    let thief = bench.connect_and_say(hello(ADA));
    assert_eq!(
        bench.effects(),
        [Effect::Remove(id(ADA)), Effect::Refuse(thief, JoinRefusal::AlreadyPresented)]
    );

    // Afterwards it is the service that knows that the id is used up.
    bench.gate.removed(&id(ADA));
    bench.connect_and_say(hello(ADA));
    assert_eq!(bench.effects(), [Effect::Accept(id(ADA))]);
}

#[test]
fn seat_is_taken_from_hello_until_the_service_knows_that_it_is_free() {
    let mut bench = Bench::new(1);
    let ada = bench.player(ADA);
    for _ in 0..2 {
        let bob = bench.connect_and_say(hello(BOB));
        assert_eq!(bench.effects(), [Effect::Refuse(bob, JoinRefusal::RoomFull)]);
        bench.gate.disconnected(ada);
        let _ = bench.effects();
    }
    bench.gate.removed(&id(ADA));
    bench.player(BOB);
}

#[test]
fn silent_connection_is_refused_when_its_time_is_up_and_not_before() {
    let mut bench = Bench::new(1);
    let silent = bench.connect();
    assert_eq!(bench.gate.poll_timeout(), Some(bench.now + HELLO_TIMEOUT));
    bench.after(HELLO_TIMEOUT - Duration::from_millis(1));
    assert_eq!(bench.effects(), []);
    bench.after(Duration::from_millis(1));
    assert_eq!(bench.effects(), [Effect::Refuse(silent, JoinRefusal::HelloTimeout)]);
    assert_eq!(bench.gate.poll_timeout(), None);
}

#[test]
fn strangers_are_bounded_and_players_are_not_strangers() {
    let mut bench = Bench::new(2);
    bench.player(ADA);
    for _ in 0..UNVALIDATED_MAX {
        bench.connect();
    }
    assert_eq!(bench.effects(), []);
    let one_too_many = bench.connect();
    assert_eq!(bench.effects(), [Effect::Refuse(one_too_many, JoinRefusal::TooManyUnvalidated)]);
    bench.gate.disconnected(ConnId(5));
    bench.connect();
    assert_eq!(bench.effects(), []);
}

#[test]
fn accept_that_had_no_effect_is_asked_again_a_bounded_number_of_times() {
    let mut bench = Bench::new(1);
    let ada = bench.connect_and_say(hello(ADA));
    for _ in 1..ACCEPT_ATTEMPTS_MAX {
        assert_eq!(bench.effects(), [Effect::Accept(id(ADA))]);
        bench.accepted(ADA, AcceptAnswer::NotNow);
        assert_eq!(bench.effects(), []);
        bench.after(ACCEPT_RETRY_DELAY);
    }
    assert_eq!(bench.effects(), [Effect::Accept(id(ADA))]);
    bench.accepted(ADA, AcceptAnswer::NotNow);
    assert_eq!(bench.effects(), [Effect::Refuse(ada, JoinRefusal::ServiceUnavailable)]);
    assert_eq!(bench.gate.ids_taken(), 0, "it had no effect, so there is nothing to remove");
}

#[test]
fn accept_with_an_unknown_outcome_is_looked_up_and_not_repeated() {
    // What the service knows about the player session, and what follows from it.
    for (standing, follows) in [
        (Standing::Active, vec![Effect::Admit(ConnId(1))]),
        (Standing::Ended, vec![Effect::Refuse(ConnId(1), JoinRefusal::RefusedByService)]),
        (
            Standing::Unknown,
            vec![Effect::Refuse(ConnId(1), JoinRefusal::ServiceUnavailable), Effect::Remove(id(ADA))],
        ),
    ] {
        let mut bench = Bench::new(1);
        bench.connect_and_say(hello(ADA));
        bench.accepted(ADA, AcceptAnswer::Unknown);
        assert_eq!(bench.effects(), [Effect::Accept(id(ADA)), Effect::Describe(id(ADA))]);
        bench.described(ADA, standing);
        assert_eq!(bench.effects(), follows, "{standing:?}");
    }
}

#[test]
fn accept_that_turns_out_not_to_have_happened_is_asked_again() {
    let mut bench = Bench::new(1);
    let ada = bench.connect_and_say(hello(ADA));
    bench.accepted(ADA, AcceptAnswer::Unknown);
    bench.described(ADA, Standing::Reserved);
    let _ = bench.effects();
    bench.after(ACCEPT_RETRY_DELAY);
    assert_eq!(bench.effects(), [Effect::Accept(id(ADA))]);
    bench.accepted(ADA, AcceptAnswer::Yes);
    assert_eq!(bench.effects(), [Effect::Admit(ada)]);
}

#[test]
fn refusal_of_a_repeated_accept_may_hide_an_earlier_yes_so_the_player_is_removed() {
    let mut bench = Bench::new(1);
    let ada = bench.connect_and_say(hello(ADA));
    bench.accepted(ADA, AcceptAnswer::Unknown);
    bench.described(ADA, Standing::Reserved);
    bench.after(ACCEPT_RETRY_DELAY);
    let _ = bench.effects();
    bench.accepted(ADA, AcceptAnswer::No);
    assert_eq!(
        bench.effects(),
        [Effect::Refuse(ada, JoinRefusal::RefusedByService), Effect::Remove(id(ADA))]
    );
}

#[test]
fn player_who_left_before_the_yes_is_removed() {
    for answer in [AcceptAnswer::Yes, AcceptAnswer::Unknown] {
        let mut bench = Bench::new(1);
        let ada = bench.connect_and_say(hello(ADA));
        bench.gate.disconnected(ada);
        bench.accepted(ADA, answer);
        assert_eq!(bench.effects(), [Effect::Accept(id(ADA)), Effect::Remove(id(ADA))]);
    }
}

#[test]
fn answer_that_takes_too_long_refuses_the_player_and_a_late_yes_is_undone() {
    let mut bench = Bench::new(1);
    let ada = bench.connect_and_say(hello(ADA));
    let _ = bench.effects();
    bench.after(ANSWER_TIMEOUT);
    assert_eq!(bench.effects(), [Effect::Refuse(ada, JoinRefusal::ServiceUnavailable)]);
    bench.accepted(ADA, AcceptAnswer::Yes);
    assert_eq!(bench.effects(), [Effect::Remove(id(ADA))]);
}

#[test]
fn draining_gate_refuses_everybody_but_keeps_its_players() {
    let mut bench = Bench::new(4);
    let ada = bench.player(ADA);
    let silent = bench.connect();
    let asking = bench.connect_and_say(hello(BOB));
    let _ = bench.effects();

    bench.gate.drain();
    assert_eq!(bench.effects(), [Effect::Refuse(silent, JoinRefusal::Draining)]);
    let late = bench.connect();
    assert_eq!(bench.effects(), [Effect::Refuse(late, JoinRefusal::Draining)]);
    bench.accepted(BOB, AcceptAnswer::Yes);
    assert_eq!(bench.effects(), [Effect::Refuse(asking, JoinRefusal::Draining), Effect::Remove(id(BOB))]);
    bench.gate.removed(&id(BOB));
    assert_eq!(bench.gate.ids_taken(), 1);
    bench.gate.disconnected(ada);
    assert_eq!(bench.effects(), [Effect::Remove(id(ADA))]);
}

#[test]
fn draining_gate_does_not_ask_again() {
    let mut bench = Bench::new(4);
    let ada = bench.connect_and_say(hello(ADA));
    bench.accepted(ADA, AcceptAnswer::NotNow);
    let _ = bench.effects();
    bench.gate.drain();
    assert_eq!(bench.effects(), [Effect::Refuse(ada, JoinRefusal::Draining)]);
    assert_eq!(bench.gate.ids_taken(), 0);
}

#[test]
fn labels_and_wire_codes_are_distinct_and_agree() {
    let labels: BTreeSet<_> = JoinRefusal::ALL.map(JoinRefusal::label).into();
    let codes: BTreeSet<_> = JoinRefusal::ALL.map(JoinRefusal::close_code).into();
    assert_eq!((labels.len(), codes.len()), (JoinRefusal::ALL.len(), JoinRefusal::ALL.len()));
    for refusal in JoinRefusal::ALL {
        let wire = refusal.reason().as_str_name().to_lowercase();
        assert_eq!(wire, format!("refusal_reason_{}", refusal.label()));
    }
}

/// Something that may happen, in any order. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Op {
    Connect,
    Say(usize, usize),
    Garbage(usize),
    Disconnect(usize),
    Answer(usize, AcceptAnswer),
    Describe(usize, Standing),
    Removed(usize),
    Wait(u64),
    Drain,
}

fn op() -> impl Strategy<Value = Op> {
    let answer = prop_oneof![
        Just(AcceptAnswer::Yes),
        Just(AcceptAnswer::No),
        Just(AcceptAnswer::NotNow),
        Just(AcceptAnswer::Unknown)
    ];
    let standing = prop_oneof![
        Just(Standing::Active),
        Just(Standing::Reserved),
        Just(Standing::Ended),
        Just(Standing::Unknown)
    ];
    prop_oneof![
        8 => Just(Op::Connect),
        8 => (any::<usize>(), 0..6_usize).prop_map(|(conn, player)| Op::Say(conn, player)),
        1 => any::<usize>().prop_map(Op::Garbage),
        3 => any::<usize>().prop_map(Op::Disconnect),
        8 => (any::<usize>(), answer).prop_map(|(call, answer)| Op::Answer(call, answer)),
        4 => (any::<usize>(), standing).prop_map(|(call, standing)| Op::Describe(call, standing)),
        4 => any::<usize>().prop_map(Op::Removed),
        4 => (0..8000_u64).prop_map(Op::Wait),
        1 => Just(Op::Drain),
    ]
}

/// The outside world as the invariants see it: connections, calls in flight, and what the service may believe.
#[derive(Default)]
struct World {
    /// Open connections that are neither in nor refused, and since when.
    unvalidated: BTreeMap<ConnId, Instant>,
    /// Which id a connection said first.
    said: BTreeMap<ConnId, PlayerSessionId>,
    players: BTreeMap<ConnId, PlayerSessionId>,
    accepting: BTreeSet<PlayerSessionId>,
    describing: BTreeSet<PlayerSessionId>,
    removing: BTreeSet<PlayerSessionId>,
    /// Ids that got a yes: an accept, or a look that showed one.
    yes: BTreeSet<PlayerSessionId>,
    /// Ids that the service may count as players.
    may_be_counted: BTreeSet<PlayerSessionId>,
}

impl World {
    fn nth<T: Clone>(items: impl IntoIterator<Item = T>, n: usize) -> Option<T> {
        let items: Vec<T> = items.into_iter().collect();
        (!items.is_empty()).then(|| items[n % items.len()].clone())
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Accept(id) => {
                self.only_call(&id);
                self.accepting.insert(id);
            }
            Effect::Describe(id) => {
                self.only_call(&id);
                self.describing.insert(id);
            }
            Effect::Remove(id) => {
                self.only_call(&id);
                self.removing.insert(id);
            }
            Effect::Admit(conn) => {
                self.unvalidated.remove(&conn).expect("only who waits is let in");
                let id = self.said[&conn].clone();
                assert!(self.yes.remove(&id), "invariant 1: let in without a yes");
                self.players.insert(conn, id);
            }
            Effect::Refuse(conn, _) => {
                self.unvalidated.remove(&conn).expect("only who waits is refused, and once");
            }
        }
    }

    fn only_call(&self, id: &PlayerSessionId) {
        let calls = [&self.accepting, &self.describing, &self.removing];
        assert!(calls.iter().all(|calls| !calls.contains(id)), "invariant 4: two calls for one id");
    }
}

const SEATS: usize = 3;

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]
    #[test]
    fn invariants_hold_in_any_history(ops in prop::collection::vec(op(), 0..80)) {
        let mut bench = Bench::new(SEATS);
        let mut world = World::default();
        for op in ops {
            match op {
                Op::Connect => {
                    world.unvalidated.insert(ConnId(bench.next_conn + 1), bench.now);
                    bench.connect();
                }
                Op::Say(n, player) => {
                    let waiting = world.unvalidated.keys().chain(world.players.keys()).copied();
                    if let Some(conn) = World::nth(waiting, n) {
                        let player = format!("psess-{player}");
                        world.said.entry(conn).or_insert_with(|| id(&player));
                        bench.gate.first_message(bench.now, conn, hello(&player));
                    }
                }
                Op::Garbage(n) => {
                    if let Some(conn) = World::nth(world.unvalidated.keys().copied(), n) {
                        bench.gate.first_message(bench.now, conn, FirstMessage::Garbage);
                    }
                }
                Op::Disconnect(n) => {
                    let open = world.unvalidated.keys().chain(world.players.keys()).copied();
                    if let Some(conn) = World::nth(open, n) {
                        world.unvalidated.remove(&conn);
                        world.players.remove(&conn);
                        bench.gate.disconnected(conn);
                    }
                }
                Op::Answer(n, answer) => {
                    if let Some(player) = World::nth(world.accepting.clone(), n) {
                        world.accepting.remove(&player);
                        match answer {
                            AcceptAnswer::Yes => {
                                world.yes.insert(player.clone());
                                world.may_be_counted.insert(player.clone());
                            }
                            AcceptAnswer::Unknown => drop(world.may_be_counted.insert(player.clone())),
                            AcceptAnswer::No | AcceptAnswer::NotNow => {}
                        }
                        bench.gate.accepted(bench.now, &player, answer);
                    }
                }
                Op::Describe(n, standing) => {
                    if let Some(player) = World::nth(world.describing.clone(), n) {
                        world.describing.remove(&player);
                        match standing {
                            Standing::Active => drop(world.yes.insert(player.clone())),
                            Standing::Ended | Standing::Reserved => drop(world.may_be_counted.remove(&player)),
                            Standing::Unknown => {}
                        }
                        bench.gate.described(bench.now, &player, standing);
                    }
                }
                Op::Removed(n) => {
                    if let Some(player) = World::nth(world.removing.clone(), n) {
                        world.removing.remove(&player);
                        world.may_be_counted.remove(&player);
                        world.yes.remove(&player);
                        bench.gate.removed(&player);
                    }
                }
                Op::Wait(millis) => bench.after(Duration::from_millis(millis)),
                Op::Drain => bench.gate.drain(),
            }
            for effect in bench.effects() {
                world.carry_out(effect);
            }

            for since in world.unvalidated.values() {
                prop_assert!(*since + HELLO_TIMEOUT + ANSWER_TIMEOUT > bench.now, "invariant 2: waits for ever");
            }
            prop_assert_eq!(bench.gate.unvalidated(), world.unvalidated.len());
            prop_assert!(bench.gate.unvalidated() <= UNVALIDATED_MAX, "invariant 3");
            prop_assert!(bench.gate.ids_taken() <= SEATS, "invariant 3");
            for player in &world.may_be_counted {
                let settled = world.players.values().any(|it| it == player)
                    || world.accepting.contains(player)
                    || world.describing.contains(player)
                    || world.removing.contains(player);
                prop_assert!(settled, "invariant 5: the service counts a player who is not here");
            }
            let timeout = bench.gate.poll_timeout();
            prop_assert!(timeout.is_none_or(|at| at > bench.now), "what is due was done");
        }
    }
}
