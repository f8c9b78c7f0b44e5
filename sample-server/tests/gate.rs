//! The gate: who gets in, who is told what, and that GameLift never counts a player who is not here.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use game_proto::{Hello, PROTOCOL_VERSION};
use gamelift_server_sdk::PlayerSessionId;
use proptest::prelude::*;
use sample_server::gate::{
    ACCEPT_ATTEMPTS_MAX, ACCEPT_RETRY_DELAY, ANSWER_TIMEOUT, AcceptAnswer, ConnId, Effect, Gate, JoinRefusal,
    Parting, RESUME_TOKEN_LEN, ResumeToken, Standing,
};

const GRACE: Duration = Duration::from_secs(15);
const ADA: &str = "psess-ada";
const BOB: &str = "psess-bob";

fn id(text: &str) -> PlayerSessionId {
    text.parse().unwrap()
}

fn hello(text: &str) -> Hello {
    Hello { protocol_version: PROTOCOL_VERSION, player_session_id: text.to_owned(), ..Hello::default() }
}

/// The token made for the connection of this number: another for each.
fn token(conn: u64) -> ResumeToken {
    ResumeToken::new([conn as u8; RESUME_TOKEN_LEN])
}

fn resume(text: &str, token: ResumeToken) -> Hello {
    Hello { resume_token: token.to_vec(), ..hello(text) }
}

fn admit(conn: ConnId) -> Effect {
    Effect::Admit { conn, token: token(conn.0) }
}

fn back(conn: ConnId, from: ConnId) -> Effect {
    Effect::Resume { conn, from, token: token(conn.0) }
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
        Self { gate: Gate::new(GRACE), now: Instant::now(), next_conn: 0 }
    }

    fn present(&mut self, hello: &Hello) -> ConnId {
        self.next_conn += 1;
        let conn = ConnId(self.next_conn);
        self.gate.presented(self.now, conn, hello, token(self.next_conn));
        conn
    }

    fn leave(&mut self, conn: ConnId) {
        self.gate.disconnected(self.now, conn, Parting::ForGood);
    }

    fn lose(&mut self, conn: ConnId) {
        self.gate.disconnected(self.now, conn, Parting::MayReturn);
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
        let conn = self.present(&hello(player));
        self.accepted(player, AcceptAnswer::Yes);
        assert_eq!(self.effects(), [Effect::Accept(id(player)), admit(conn)]);
        conn
    }
}

#[test]
fn nobody_is_let_in_before_the_service_says_yes() {
    let mut bench = Bench::new(2);
    let ada = bench.present(&hello(ADA));
    assert_eq!(bench.effects(), [Effect::Accept(id(ADA))]);
    bench.accepted(ADA, AcceptAnswer::Yes);
    assert_eq!(bench.effects(), [admit(ada)]);
}

#[test]
fn what_can_be_refused_without_the_service_never_reaches_it() {
    let other_version = Hello { protocol_version: PROTOCOL_VERSION + 1, ..hello(ADA) };
    let short_token = Hello { resume_token: vec![7; RESUME_TOKEN_LEN - 1], ..hello(ADA) };
    for (message, refusal) in [
        (hello(""), JoinRefusal::BadHello),
        (hello("no spaces"), JoinRefusal::BadHello),
        (hello(&"p".repeat(257)), JoinRefusal::BadHello),
        (short_token, JoinRefusal::BadHello),
        (other_version, JoinRefusal::VersionMismatch),
    ] {
        let mut bench = Bench::new(2);
        let conn = bench.present(&message);
        assert_eq!(bench.effects(), [Effect::Refuse(conn, refusal)]);
        assert_eq!(bench.gate.asking(), 0);
    }
}

#[test]
fn without_a_game_session_everybody_is_refused() {
    let mut bench = Bench::without_game_session();
    let ada = bench.present(&hello(ADA));
    assert_eq!(bench.effects(), [Effect::Refuse(ada, JoinRefusal::NoGameSession)]);
}

#[test]
fn id_that_the_service_refuses_is_refused_and_forgotten() {
    let mut bench = Bench::new(2);
    let ada = bench.present(&hello(ADA));
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
    let ada = bench.present(&hello(ADA));
    let thief = bench.present(&hello(ADA));
    assert_eq!(
        bench.effects(),
        [Effect::Accept(id(ADA)), Effect::Refuse(thief, JoinRefusal::AlreadyPresented)]
    );

    bench.accepted(ADA, AcceptAnswer::Yes);
    let thief = bench.present(&hello(ADA));
    assert_eq!(bench.effects(), [admit(ada), Effect::Refuse(thief, JoinRefusal::AlreadyPresented)]);

    bench.leave(ada);
    let thief = bench.present(&hello(ADA));
    assert_eq!(
        bench.effects(),
        [Effect::Leave(ada), Effect::Remove(id(ADA)), Effect::Refuse(thief, JoinRefusal::AlreadyPresented)]
    );

    // Afterwards it is the service that knows that the id is used up.
    bench.gate.removed(&id(ADA));
    bench.present(&hello(ADA));
    assert_eq!(bench.effects(), [Effect::Accept(id(ADA))]);
}

#[test]
fn seat_is_taken_from_hello_until_the_service_knows_that_it_is_free() {
    let mut bench = Bench::new(1);
    let ada = bench.player(ADA);
    for _ in 0..2 {
        let bob = bench.present(&hello(BOB));
        assert_eq!(bench.effects(), [Effect::Refuse(bob, JoinRefusal::RoomFull)]);
        bench.leave(ada);
        let _ = bench.effects();
    }
    bench.gate.removed(&id(ADA));
    bench.player(BOB);
}

#[test]
fn newcomers_are_wanted_while_there_is_a_seat() {
    let mut bench = Bench::without_game_session();
    assert!(!bench.gate.takes_newcomers());
    bench.gate.game_session_started(1);
    assert!(bench.gate.takes_newcomers());
    let ada = bench.player(ADA);
    assert!(!bench.gate.takes_newcomers());
    bench.lose(ada);
    assert!(!bench.gate.takes_newcomers(), "the seat is kept");
    bench.after(GRACE);
    assert!(!bench.gate.takes_newcomers(), "GameLift does not know yet");
    bench.gate.removed(&id(ADA));
    assert!(bench.gate.takes_newcomers());
    bench.gate.drain();
    assert!(!bench.gate.takes_newcomers());
}

#[test]
fn lost_player_comes_back_to_the_seat_and_gamelift_hears_nothing() {
    let mut bench = Bench::new(1);
    let ada = bench.player(ADA);
    bench.lose(ada);
    assert_eq!(bench.gate.poll_timeout(), Some(bench.now + GRACE));
    bench.after(GRACE - Duration::from_millis(1));
    let again = bench.present(&resume(ADA, token(ada.0)));
    assert_eq!(bench.effects(), [back(again, ada)]);
    bench.after(2 * GRACE);
    assert_eq!(bench.effects(), [], "the grace is over only for who is away");
    // And once more, with the token that came with the return.
    bench.lose(again);
    let third = bench.present(&resume(ADA, token(again.0)));
    assert_eq!(bench.effects(), [back(third, again)]);
}

#[test]
fn seat_is_given_up_and_removed_only_when_the_grace_is_over() {
    let mut bench = Bench::new(1);
    let ada = bench.player(ADA);
    bench.lose(ada);
    assert_eq!(bench.effects(), []);
    bench.after(GRACE);
    assert_eq!(bench.effects(), [Effect::Leave(ada), Effect::Remove(id(ADA))]);
    let late = bench.present(&resume(ADA, token(ada.0)));
    assert_eq!(bench.effects(), [Effect::Refuse(late, JoinRefusal::ResumeRefused)]);
}

#[test]
fn player_may_come_back_before_the_server_has_noticed_the_loss() {
    let mut bench = Bench::new(1);
    let ada = bench.player(ADA);
    let again = bench.present(&resume(ADA, token(ada.0)));
    assert_eq!(bench.effects(), [back(again, ada)]);
    bench.lose(ada); // The old connection ends now; that changes nothing.
    bench.after(2 * GRACE);
    assert_eq!(bench.effects(), []);
    bench.leave(again);
    assert_eq!(bench.effects(), [Effect::Leave(again), Effect::Remove(id(ADA))]);
}

#[test]
fn wrong_old_and_foreign_tokens_open_no_seat() {
    let mut bench = Bench::new(2);
    let (ada, bob) = (bench.player(ADA), bench.player(BOB));
    bench.lose(ada);
    let again = bench.present(&resume(ADA, token(ada.0)));
    let _ = bench.effects();
    bench.lose(again);
    for (player, presented) in [
        (ADA, token(99)),            // wrong
        (ADA, token(ada.0)),         // used before
        (ADA, token(bob.0)),         // somebody else's
        ("psess-eve", token(bob.0)), // of nobody here
    ] {
        let conn = bench.present(&resume(player, presented));
        assert_eq!(bench.effects(), [Effect::Refuse(conn, JoinRefusal::ResumeRefused)]);
    }
    let conn = bench.present(&hello(ADA));
    assert_eq!(bench.effects(), [Effect::Refuse(conn, JoinRefusal::AlreadyPresented)], "without a token");
    assert_eq!(bench.gate.ids_taken(), 2, "and nobody lost a seat by it");
}

#[test]
fn without_a_grace_a_lost_player_has_left() {
    let mut bench = Bench::new(1);
    bench.gate = Gate::new(Duration::ZERO);
    bench.gate.game_session_started(1);
    let ada = bench.player(ADA);
    bench.lose(ada);
    assert_eq!(bench.effects(), [Effect::Leave(ada), Effect::Remove(id(ADA))]);
}

#[test]
fn end_of_the_game_takes_the_seats_of_all_whether_here_or_away() {
    let mut bench = Bench::new(2);
    let (ada, bob) = (bench.player(ADA), bench.player(BOB));
    bench.lose(ada);
    bench.gate.expel_all();
    let expected = [(ada, ADA), (bob, BOB)].map(|(conn, it)| [Effect::Leave(conn), Effect::Remove(id(it))]);
    assert_eq!(bench.effects(), expected.concat());
    assert_eq!(bench.gate.poll_timeout(), None);
}

#[test]
fn accept_that_had_no_effect_is_asked_again_a_bounded_number_of_times() {
    let mut bench = Bench::new(1);
    let ada = bench.present(&hello(ADA));
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
        (Standing::Active, vec![admit(ConnId(1))]),
        (Standing::Ended, vec![Effect::Refuse(ConnId(1), JoinRefusal::RefusedByService)]),
        (
            Standing::Unknown,
            vec![Effect::Refuse(ConnId(1), JoinRefusal::ServiceUnavailable), Effect::Remove(id(ADA))],
        ),
    ] {
        let mut bench = Bench::new(1);
        bench.present(&hello(ADA));
        bench.accepted(ADA, AcceptAnswer::Unknown);
        assert_eq!(bench.effects(), [Effect::Accept(id(ADA)), Effect::Describe(id(ADA))]);
        bench.described(ADA, standing);
        assert_eq!(bench.effects(), follows, "{standing:?}");
    }
}

#[test]
fn accept_that_turns_out_not_to_have_happened_is_asked_again() {
    let mut bench = Bench::new(1);
    let ada = bench.present(&hello(ADA));
    bench.accepted(ADA, AcceptAnswer::Unknown);
    bench.described(ADA, Standing::Reserved);
    let _ = bench.effects();
    bench.after(ACCEPT_RETRY_DELAY);
    assert_eq!(bench.effects(), [Effect::Accept(id(ADA))]);
    bench.accepted(ADA, AcceptAnswer::Yes);
    assert_eq!(bench.effects(), [admit(ada)]);
}

#[test]
fn refusal_of_a_repeated_accept_may_hide_an_earlier_yes_so_the_player_is_removed() {
    let mut bench = Bench::new(1);
    let ada = bench.present(&hello(ADA));
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
        let ada = bench.present(&hello(ADA));
        bench.leave(ada);
        bench.accepted(ADA, answer);
        assert_eq!(bench.effects(), [Effect::Accept(id(ADA)), Effect::Remove(id(ADA))]);
    }
}

#[test]
fn answer_that_takes_too_long_refuses_the_player_and_a_late_yes_is_undone() {
    let mut bench = Bench::new(1);
    let ada = bench.present(&hello(ADA));
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
    let asking = bench.present(&hello(BOB));
    let _ = bench.effects();

    bench.gate.drain();
    let late = bench.present(&hello("psess-eve"));
    assert_eq!(bench.effects(), [Effect::Refuse(late, JoinRefusal::Draining)]);
    bench.lose(ada);
    let ada = bench.present(&resume(ADA, token(ada.0)));
    assert!(matches!(bench.effects()[..], [Effect::Resume { .. }]), "a player may still come back");
    bench.accepted(BOB, AcceptAnswer::Yes);
    assert_eq!(bench.effects(), [Effect::Refuse(asking, JoinRefusal::Draining), Effect::Remove(id(BOB))]);
    bench.gate.removed(&id(BOB));
    assert_eq!(bench.gate.ids_taken(), 1);
    bench.leave(ada);
    assert_eq!(bench.effects(), [Effect::Leave(ada), Effect::Remove(id(ADA))]);
}

#[test]
fn draining_gate_does_not_ask_again() {
    let mut bench = Bench::new(4);
    let ada = bench.present(&hello(ADA));
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
    Present(usize),
    Resume(usize, usize),
    Leave(usize),
    Lose(usize),
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
        8 => (0..6_usize).prop_map(Op::Present),
        6 => (0..6_usize, any::<usize>()).prop_map(|(player, conn)| Op::Resume(player, conn)),
        2 => any::<usize>().prop_map(Op::Leave),
        3 => any::<usize>().prop_map(Op::Lose),
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
    /// Connections that wait for an answer, and since when.
    asking: BTreeMap<ConnId, Instant>,
    /// Which id a connection presented.
    said: BTreeMap<ConnId, PlayerSessionId>,
    players: BTreeMap<ConnId, PlayerSessionId>,
    /// Players who were lost, by their last connection, and since when.
    away: BTreeMap<ConnId, (PlayerSessionId, Instant)>,
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
            Effect::Admit { conn, token: made } => {
                assert_eq!(made, token(conn.0));
                self.asking.remove(&conn).expect("only who waits is let in");
                let id = self.said[&conn].clone();
                assert!(self.yes.remove(&id), "invariant 1: let in without a yes");
                assert!(self.players.values().all(|it| *it != id), "invariant 3: two connections");
                self.players.insert(conn, id);
            }
            Effect::Resume { conn, from, token: made } => {
                assert_eq!(made, token(conn.0));
                self.asking.remove(&conn).expect("only who asked comes back");
                let before = self.players.remove(&from).or(self.away.remove(&from).map(|(id, _)| id));
                assert_eq!(
                    before.as_ref(),
                    Some(&self.said[&conn]),
                    "invariant 1: came back as somebody else"
                );
                self.players.insert(conn, self.said[&conn].clone());
            }
            Effect::Leave(conn) => {
                let here = self.players.remove(&conn).is_some();
                assert!(here || self.away.remove(&conn).is_some(), "only who has a seat loses it");
            }
            Effect::Refuse(conn, _) => {
                self.asking.remove(&conn).expect("only who waits is refused, and once");
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
                Op::Present(player) => {
                    let conn = ConnId(bench.next_conn + 1);
                    let player = format!("psess-{player}");
                    world.asking.insert(conn, bench.now);
                    world.said.insert(conn, id(&player));
                    bench.present(&hello(&player));
                }
                Op::Resume(player, n) => {
                    // With the token of some connection there was, mostly not the newest of that player.
                    let conn = ConnId(bench.next_conn + 1);
                    let player = format!("psess-{player}");
                    let token_of = World::nth(world.said.keys().copied(), n).unwrap_or(conn);
                    let newest = world.players.get(&token_of).or(world.away.get(&token_of).map(|(id, _)| id));
                    let good = newest == Some(&id(&player));
                    world.asking.insert(conn, bench.now);
                    world.said.insert(conn, id(&player));
                    bench.present(&resume(&player, token(token_of.0)));
                    let effects = bench.effects();
                    prop_assert_eq!(good, matches!(effects[..], [Effect::Resume { .. }]), "invariant 1");
                    effects.into_iter().for_each(|effect| world.carry_out(effect));
                }
                Op::Leave(n) => {
                    let open = world.asking.keys().chain(world.players.keys()).copied();
                    if let Some(conn) = World::nth(open, n) {
                        world.asking.remove(&conn);
                        bench.leave(conn);
                    }
                }
                Op::Lose(n) => {
                    let open = world.asking.keys().chain(world.players.keys()).copied();
                    if let Some(conn) = World::nth(open, n) {
                        world.asking.remove(&conn);
                        if let Some(id) = world.players.remove(&conn) {
                            world.away.insert(conn, (id, bench.now));
                        }
                        bench.lose(conn);
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

            for since in world.asking.values() {
                prop_assert!(*since + ANSWER_TIMEOUT > bench.now, "invariant 2: waits for ever");
            }
            for (_, since) in world.away.values() {
                prop_assert!(*since + GRACE > bench.now, "invariant 5: away for ever");
            }
            prop_assert_eq!(bench.gate.asking(), world.asking.len());
            prop_assert!(bench.gate.ids_taken() <= SEATS, "invariant 3");
            for player in &world.may_be_counted {
                let settled = world.players.values().any(|it| it == player)
                    || world.away.values().any(|(it, _)| it == player)
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
