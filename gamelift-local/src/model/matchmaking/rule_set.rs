//! Matchmaking rule sets.

use crate::{
    Timestamp,
    model::{Tag, answer, request},
};

request! {
    /// Input of CreateMatchmakingRuleSet.
    CreateMatchmakingRuleSetInput {
        /// 1 to 128 letters, digits, hyphens and dots. Required.
        name: String => required MATCHMAKING_ID,
        /// The rule set as JSON, up to 65,535 characters. Required.
        rule_set_body: String => required RULE_SET_BODY,
        /// Labels, 200 at most.
        tags: Vec<Tag> => optional TAGS,
    }
}

request! {
    /// Input of ValidateMatchmakingRuleSet.
    ValidateMatchmakingRuleSetInput {
        /// The rule set as JSON, up to 65,535 characters. Required.
        rule_set_body: String => required RULE_SET_BODY,
    }
}

request! {
    /// Input of DescribeMatchmakingRuleSets.
    DescribeMatchmakingRuleSetsInput {
        /// Names or ARNs, 10 at most; all rule sets when absent.
        names: Vec<String> => optional List(1..=10, &MATCHMAKING_RULE_SET_NAME),
        /// Most rule sets per page: 1 to 10.
        limit: i64 => optional Range(1..=10),
        /// Where the previous page ended.
        next_token: String => optional NON_ZERO_AND_MAX,
    }
}

request! {
    /// Input of DeleteMatchmakingRuleSet.
    DeleteMatchmakingRuleSetInput {
        /// Name or ARN. Required.
        name: String => required MATCHMAKING_RULE_SET_NAME,
    }
}

answer! {
    /// Output of CreateMatchmakingRuleSet.
    CreateMatchmakingRuleSetOutput {
        /// The rule set.
        rule_set: MatchmakingRuleSet,
    }
}

answer! {
    /// Output of ValidateMatchmakingRuleSet.
    ValidateMatchmakingRuleSetOutput {
        /// Always true: what is not valid is refused with InvalidRequest.
        valid: bool,
    }
}

answer! {
    /// Output of DescribeMatchmakingRuleSets.
    DescribeMatchmakingRuleSetsOutput {
        /// One page.
        rule_sets: Vec<MatchmakingRuleSet>,
        ; optional:
        /// Present when more pages exist.
        next_token: String,
    }
}

answer! {
    /// A rule set. It never changes.
    MatchmakingRuleSet {
        /// Its name.
        rule_set_name: String,
        /// Its ARN, with the account id.
        rule_set_arn: String,
        /// The JSON it was created from, comments and spaces included.
        rule_set_body: String,
        /// When it was created.
        creation_time: Timestamp,
    }
}
