//! Every kind of expression, right and wrong.

use super::*;

fn error(result: Result<impl std::fmt::Debug, SearchError>) -> String {
    result.expect_err("the expression is wrong").to_string()
}

#[test]
fn comparators_bind_first_then_parentheses_not_and_or() {
    let number = |value| Node::Number(NumberField::PlayerCount, Comparator::Equal, value);
    let parse = |text: &str| Filter::parse(text).unwrap().0;
    let [one, two, three] = [1.0, 2.0, 3.0].map(number);
    assert_eq!(
        parse("playerSessionCount=1 AND playerSessionCount=2 OR playerSessionCount=3"),
        Node::Any(vec![Node::All(vec![one.clone(), two.clone()]), three.clone()])
    );
    assert_eq!(
        parse("playerSessionCount=1 AND (playerSessionCount=2 OR playerSessionCount=3)"),
        Node::All(vec![one.clone(), Node::Any(vec![two.clone(), three])])
    );
    assert_eq!(
        parse("NOT playerSessionCount = 1 AND playerSessionCount = 2"),
        Node::All(vec![Node::Not(Box::new(one)), two])
    );
}

#[test]
fn texts_have_either_kind_of_quotes_and_backslashes() {
    let name = |text: &str| Node::Text(TextField::Name, true, text.to_owned());
    for (expression, text) in [
        (r"gameSessionName = 'Matt\'s Awesome Game 1'", "Matt's Awesome Game 1"),
        (r#"gameSessionName="novice""#, "novice"),
        (r#"gameSessionName='say "hi"'"#, r#"say "hi""#),
        (r"gameSessionName='a\\b'", r"a\b"),
        ("gameSessionName=''", ""),
        ("gameSessionName='(AND) = <>'", "(AND) = <>"),
        ("gameSessionName='\u{e9}\u{1f3b2}'", "\u{e9}\u{1f3b2}"),
    ] {
        assert_eq!(Filter::parse(expression).unwrap().0, name(text), "{expression}");
    }
}

#[test]
fn every_kind_of_mistake_is_named_with_its_place_and_what_was_expected() {
    for (expression, message) in [
        ("", "character 1: expected a condition, such as maximumSessions>=4, found the end"),
        ("playerSessionCount", "character 19: expected a comparator: =, <>, <, >, <= or >=, found the end"),
        ("playerSessionCount 5", "character 20: expected a comparator: =, <>, <, >, <= or >=, found 5"),
        ("playerSessionCount = ", "character 22: expected a number, found the end"),
        ("playerSessionCount = '5'", "character 22: expected a number, found '5'"),
        ("playerSessionCount = five", "character 22: expected a number, found five"),
        ("playerSessionCount = 1e999", "character 22: expected a number, found 1e999"),
        ("playerSessionCount == 5", "character 21: expected a number, found ="),
        ("playerSessionCount != 5", "character 20: expected <> for \"not equal\", NOT for \"not\", found !"),
        ("gameSessionName = novice", "character 19: expected a text in single quotes, found novice"),
        (
            "gameSessionName > 'a'",
            "character 17: expected = or <>, because only numbers have an order, found >",
        ),
        (
            "hasAvailablePlayerSessions<true",
            "character 27: expected = or <>, because only numbers have an order, found <",
        ),
        (
            "hasAvailablePlayerSessions='true'",
            "character 28: expected true or false, without quotes, found 'true'",
        ),
        (
            "gameSessionName = 'a",
            "character 21: expected a closing ' for the text that begins at character 19, found the end",
        ),
        ("gameSessionName = 'a\\", "character 22: expected a character after the backslash, found the end"),
        ("(playerSessionCount=1", "character 22: expected AND, OR or ), found the end"),
        ("playerSessionCount=1)", "character 21: expected AND, OR or the end, found )"),
        ("()", "character 2: expected a condition, such as maximumSessions>=4, found )"),
        (
            "playerSessionCount=1 and playerSessionCount=2",
            "character 22: expected AND, OR or the end, found and",
        ),
        (
            "playerSessionCount=1 AND",
            "character 25: expected a condition, such as maximumSessions>=4, found the end",
        ),
        ("5 = playerSessionCount", &format!("character 1: expected {OPERANDS}, found 5")),
        ("colour='red'", &format!("character 1: expected {OPERANDS}, found colour")),
        (
            "gameSessionProperties.='red'",
            &format!("character 1: expected {OPERANDS}, found gameSessionProperties."),
        ),
        ("\u{e9}\u{e9} 5", &format!("character 1: expected {OPERANDS}, found \u{e9}\u{e9}")),
        ("gameSessionName='\u{1f3b2}' 5", "character 21: expected AND, OR or the end, found 5"),
    ] {
        assert_eq!(error(Filter::parse(expression)), message, "{expression}");
    }
    for (expression, message) in [
        ("", format!("character 1: expected {OPERANDS}, found the end")),
        ("colour ASC", format!("character 1: expected {OPERANDS}, found colour")),
        ("creationTimeMillis", "character 19: expected ASC or DESC, found the end".to_owned()),
        ("creationTimeMillis asc", "character 20: expected ASC or DESC, found asc".to_owned()),
        (
            "creationTimeMillis ASC, playerSessionCount DESC",
            "character 20: expected ASC or DESC, found ASC,".to_owned(),
        ),
        (
            "creationTimeMillis ASC playerSessionCount",
            "character 24: expected the end: game sessions are sorted by one operand, found playerSessionCount"
                .to_owned(),
        ),
    ] {
        assert_eq!(error(Sort::parse(expression)), message, "{expression}");
    }
}

#[test]
fn nesting_has_a_bound_and_long_findings_are_cut() {
    let nested = |depth: usize| format!("{}playerSessionCount=1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Filter::parse(&nested(DEPTH_MAX)).is_ok());
    assert!(error(Filter::parse(&nested(500))).contains("expected at most 100 levels"));
    assert!(error(Filter::parse(&"NOT ".repeat(250))).contains("expected at most 100 levels"));
    assert!(error(Filter::parse(&"x".repeat(1_000))).len() < 300);
}

#[test]
fn whatever_is_written_is_read_or_refused_without_panic() {
    let words = [
        "NOT",
        "(",
        ")",
        "'",
        "\\",
        "=",
        "<",
        ">",
        "AND",
        "OR",
        "playerSessionCount",
        "1",
        "\u{e9}",
        " ",
        "!",
    ];
    // All words in all places, three deep: enough to reach every branch with every follower.
    for a in words {
        for b in words {
            for c in words {
                let _ = (Filter::parse(&[a, b, c].concat()), Sort::parse(&[a, " ", b, " ", c].concat()));
            }
        }
    }
}
