//! Matchmaking rule sets.

use crate::{
    Timestamp,
    model::{answer, request},
};

request! {
    /// Input of CreateMatchmakingRuleSet.
    CreateMatchmakingRuleSetInput {
        /// 1 to 128 letters, digits, hyphens and dots. Required.
        name: String,
        /// The rule set as JSON, up to 65,535 characters. Required.
        rule_set_body: String,
    }
}

request! {
    /// Input of ValidateMatchmakingRuleSet.
    ValidateMatchmakingRuleSetInput {
        /// The rule set as JSON, up to 65,535 characters. Required.
        rule_set_body: String,
    }
}

request! {
    /// Input of DescribeMatchmakingRuleSets.
    DescribeMatchmakingRuleSetsInput {
        /// Names or ARNs, 10 at most; all rule sets when absent.
        names: Vec<String>,
        /// Most rule sets per page: 1 to 10.
        limit: i64,
        /// Where the previous page ended.
        next_token: String,
    }
}

request! {
    /// Input of DeleteMatchmakingRuleSet.
    DeleteMatchmakingRuleSetInput {
        /// Name or ARN. Required.
        name: String,
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
