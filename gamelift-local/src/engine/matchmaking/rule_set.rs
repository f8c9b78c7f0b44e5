//! Rule sets.

use std::{ops::Bound, sync::Arc};

use flexmatch::{Finding, RuleSet, Severity};

use crate::{
    ApiError, ErrorKind, Timestamp,
    engine::{Engine, ids::resource_id, page::Page, tag::check_tags},
    model::*,
};

/// AWS quota "Matchmaking rule sets per Region".
const RULE_SETS_MAX: usize = 1_000;
/// AWS API reference, RuleSetLimit and MatchmakingRuleSetNameList.
const RULE_SETS_PAGE_MAX: usize = 10;
/// Most errors of a rule set in one message; a rule set with more needs more than one look anyway.
const FINDINGS_SHOWN_MAX: usize = 10;

#[derive(Debug)]
pub(super) struct RuleSetEntry {
    pub(super) model: MatchmakingRuleSet,
    pub(super) rules: Arc<RuleSet>,
}

impl Engine {
    /// Checks a rule set.
    ///
    /// # Errors
    /// InvalidRequest for a rule set that is not valid; the message says where and why.
    pub fn validate_matchmaking_rule_set(
        &mut self,
        _now: Timestamp,
        input: ValidateMatchmakingRuleSetInput,
    ) -> Result<ValidateMatchmakingRuleSetOutput, ApiError> {
        check::check(&input)?;
        parse(&input.rule_set_body)?;
        Ok(ValidateMatchmakingRuleSetOutput { valid: true })
    }

    /// Creates a rule set. It never changes.
    ///
    /// # Errors
    /// InvalidRequest for a bad field, a rule set that is not valid, or a name that is taken; LimitExceeded beyond
    /// 1,000 rule sets.
    pub fn create_matchmaking_rule_set(
        &mut self,
        now: Timestamp,
        input: CreateMatchmakingRuleSetInput,
    ) -> Result<CreateMatchmakingRuleSetOutput, ApiError> {
        check::check(&input)?;
        let name = rule::MATCHMAKING_ID.required("name", &input.name)?;
        let (body, rules) = parse(&input.rule_set_body)?;
        let tags = check_tags(input.tags.as_deref())?;
        if self.matchmaking.rule_sets.contains_key(name) {
            // Observed text; this operation has no Conflict (AWS API reference).
            return Err(ApiError::invalid(format!("Rule set {name} already exists")));
        }
        if self.matchmaking.rule_sets.len() >= RULE_SETS_MAX {
            let message =
                format!("There are {RULE_SETS_MAX} matchmaking rule sets already, which is the limit");
            return Err(ApiError::new(ErrorKind::LimitExceeded, message));
        }
        let model = MatchmakingRuleSet {
            rule_set_name: name.to_owned(),
            rule_set_arn: self.settings.arn("matchmakingruleset", name),
            rule_set_body: body.to_owned(),
            creation_time: now,
        };
        let entry = RuleSetEntry { model: model.clone(), rules: Arc::new(rules) };
        self.matchmaking.rule_sets.insert(name.to_owned(), entry);
        self.set_tags("matchmakingruleset", name, tags);
        Ok(CreateMatchmakingRuleSetOutput { rule_set: model })
    }

    /// Describes the rule sets with the given names, or all.
    ///
    /// # Errors
    /// InvalidRequest for a bad name, limit or token; NotFound for an unknown rule set.
    pub fn describe_matchmaking_rule_sets(
        &mut self,
        _now: Timestamp,
        input: DescribeMatchmakingRuleSetsInput,
    ) -> Result<DescribeMatchmakingRuleSetsOutput, ApiError> {
        check::check(&input)?;
        rule::range("limit", input.limit, 1..=i64::try_from(RULE_SETS_PAGE_MAX).unwrap_or(i64::MAX))?;
        let page =
            Page::new("DescribeMatchmakingRuleSets", input.limit, &input.next_token, RULE_SETS_PAGE_MAX)?;
        if let Some(names) = input.names {
            rule::size("names", &names, 1..=RULE_SETS_PAGE_MAX)?;
            let rule_sets = names
                .iter()
                .map(|name| {
                    rule::MATCHMAKING_RULE_SET_NAME.check("names", name)?;
                    Ok(self.rule_set(name)?.model.clone())
                })
                .collect::<Result<_, ApiError>>()?;
            return Ok(DescribeMatchmakingRuleSetsOutput { rule_sets, next_token: None });
        }
        let start = page.after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let all = self.matchmaking.rule_sets.range::<str, _>((start, Bound::Unbounded));
        let (rule_sets, next_token) =
            page.take(all.map(|(_, entry)| &entry.model), |model| model.rule_set_name.clone());
        let rule_sets = rule_sets.into_iter().cloned().collect();
        Ok(DescribeMatchmakingRuleSetsOutput { rule_sets, next_token })
    }

    /// Deletes a rule set that no configuration uses.
    ///
    /// # Errors
    /// InvalidRequest for a bad name or a rule set in use; NotFound for an unknown one.
    pub fn delete_matchmaking_rule_set(
        &mut self,
        _now: Timestamp,
        input: DeleteMatchmakingRuleSetInput,
    ) -> Result<Empty, ApiError> {
        check::check(&input)?;
        let name = rule::MATCHMAKING_RULE_SET_NAME.required("name", &input.name)?;
        let name = self.rule_set(name)?.model.rule_set_name.clone();
        let mut configurations = self.matchmaking.configurations.values();
        if let Some(user) = configurations.find(|configuration| configuration.model.rule_set_name == name) {
            let message =
                format!("Rule set {name} is in use by matchmaking configuration {}", user.model.name);
            return Err(ApiError::invalid(message));
        }
        self.matchmaking.rule_sets.remove(&name);
        self.forget_tags("matchmakingruleset", &name);
        Ok(Empty {})
    }

    /// The rule set with this name or ARN.
    pub(super) fn rule_set(&self, name_or_arn: &str) -> Result<&RuleSetEntry, ApiError> {
        let name = resource_id("matchmakingruleset", name_or_arn);
        let found = self.matchmaking.rule_sets.get(name);
        found.ok_or_else(|| ApiError::not_found(format!("Matchmaking rule set {name} not found")))
    }
}

fn parse(body: &Option<String>) -> Result<(&str, RuleSet), ApiError> {
    let body = rule::RULE_SET_BODY.required("ruleSetBody", body)?;
    match RuleSet::parse(body) {
        Ok(parsed) => Ok((body, parsed.rule_set)),
        Err(findings) => Err(ApiError::invalid(sentence(&findings))),
    }
}

fn sentence(findings: &[Finding]) -> String {
    let errors: Vec<_> = findings.iter().filter(|finding| finding.severity == Severity::Error).collect();
    let shown: Vec<String> =
        errors.iter().take(FINDINGS_SHOWN_MAX).map(|finding| finding.to_string()).collect();
    let more = match errors.len() - shown.len() {
        0 => String::new(),
        more => format!("\nand {more} more"),
    };
    format!("RuleSetBody is not a valid rule set:\n{}{more}", shown.join("\n"))
}
