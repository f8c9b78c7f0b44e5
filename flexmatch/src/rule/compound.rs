//! `compound`: other rules joined by logic. The members need not hold by themselves.

use super::{Judgement, Numbers};

/// A compound rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Compound {
    pub(crate) statement: Statement,
}

/// A `statement`, rules by their index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// A rule defined earlier.
    Rule(usize),
    /// All of them.
    And(Vec<Statement>),
    /// At least one of them.
    Or(Vec<Statement>),
    /// Exactly one of the two.
    Xor(Box<[Statement; 2]>),
    /// Not this one.
    Not(Box<Statement>),
}

impl Compound {
    /// The rules it joins.
    pub const fn statement(&self) -> &Statement {
        &self.statement
    }

    /// `judged` has a judgement for every rule before this one.
    pub(crate) fn judge<'a>(&self, judged: &[(bool, bool)]) -> Judgement<'a> {
        let (pass, settled) = self.statement.judge(judged);
        Judgement { pass, settled, numbers: Numbers::Members }
    }
}

impl Statement {
    /// Every rule in it, in order of appearance.
    pub fn members(&self) -> Vec<usize> {
        match self {
            Self::Rule(index) => vec![*index],
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::members).collect(),
            Self::Xor(parts) => parts.iter().flat_map(Self::members).collect(),
            Self::Not(part) => part.members(),
        }
    }

    /// Whether it holds, and whether that is for ever.
    fn judge(&self, judged: &[(bool, bool)]) -> (bool, bool) {
        match self {
            Self::Rule(index) => judged.get(*index).copied().unwrap_or((true, false)),
            Self::Not(part) => {
                let (pass, settled) = part.judge(judged);
                (!pass, settled)
            }
            Self::Xor(parts) => {
                let (one, other) = (parts[0].judge(judged), parts[1].judge(judged));
                (one.0 != other.0, one.1 && other.1)
            }
            Self::And(parts) => Self::decided_by(false, parts, judged),
            Self::Or(parts) => Self::decided_by(true, parts, judged),
        }
    }

    /// One part that is `decisive` for ever decides for ever; else all parts must be settled.
    fn decided_by(decisive: bool, parts: &[Self], judged: &[(bool, bool)]) -> (bool, bool) {
        let (mut found, mut decided, mut all_settled) = (false, false, true);
        for part in parts {
            let (pass, settled) = part.judge(judged);
            found |= pass == decisive;
            decided |= pass == decisive && settled;
            all_settled &= settled;
        }
        (found == decisive, decided || all_settled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASS: (bool, bool) = (true, false);
    const NOT_YET: (bool, bool) = (false, false);
    const FAIL: (bool, bool) = (false, true);
    const PASS_FOR_EVER: (bool, bool) = (true, true);

    fn rules() -> [Statement; 2] {
        [Statement::Rule(0), Statement::Rule(1)]
    }

    #[test]
    fn one_hopeless_part_makes_an_and_hopeless_but_not_an_or() {
        assert_eq!(Statement::And(rules().into()).judge(&[FAIL, PASS]), FAIL);
        assert_eq!(Statement::Or(rules().into()).judge(&[FAIL, NOT_YET]), NOT_YET);
        assert_eq!(Statement::Or(rules().into()).judge(&[FAIL, FAIL]), FAIL);
        assert_eq!(Statement::Or(rules().into()).judge(&[FAIL, PASS]), PASS);
    }

    #[test]
    fn not_turns_a_hopeless_rule_into_one_that_holds_for_ever() {
        let not = Statement::Not(Box::new(Statement::Rule(0)));
        assert_eq!(not.judge(&[FAIL]), PASS_FOR_EVER);
        assert_eq!(not.judge(&[PASS]), NOT_YET);
        assert_eq!(not.judge(&[PASS_FOR_EVER]), FAIL);
    }

    #[test]
    fn xor_holds_for_exactly_one() {
        let xor = Statement::Xor(Box::new(rules()));
        assert_eq!(xor.judge(&[PASS, FAIL]), PASS);
        assert_eq!(xor.judge(&[PASS, PASS]), NOT_YET);
        assert_eq!(xor.judge(&[FAIL, FAIL]), FAIL);
    }
}
