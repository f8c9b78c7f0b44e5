//! Rule sets and matchmaking configurations.

use std::path::Path;

use flexmatch::{Finding, Severity};
use serde_json::Value;

use super::{super::RuleSet, Maker, SetupError, read};
use crate::{model::*, setup::MatchmakingConfiguration};

/// Most errors of a rule set in one message.
const FINDINGS_SHOWN_MAX: usize = 10;

impl Maker<'_> {
    pub(super) fn matchmaking(&mut self) -> Result<(), SetupError> {
        let setup = self.setup;
        for (index, rule_set) in setup.rule_sets.iter().enumerate() {
            self.rule_set(&format!("rule_sets[{index}]"), rule_set)?;
        }
        for (index, configuration) in setup.matchmaking_configurations.iter().enumerate() {
            self.configuration(&format!("matchmaking_configurations[{index}]"), configuration)?;
        }
        Ok(())
    }

    fn rule_set(&mut self, at: &str, rule_set: &RuleSet) -> Result<(), SetupError> {
        let (member, body, path) = match (&rule_set.path, &rule_set.body) {
            (Some(path), None) => (format!("{at}.path"), read(path)?, Some(path.as_path())),
            (None, Some(Value::String(text))) => (format!("{at}.body"), text.clone(), None),
            // Indented, so that a line and column mean something.
            (None, Some(value)) => (format!("{at}.body"), format!("{value:#}"), None),
            (path, _) => {
                let given = if path.is_some() { "both" } else { "neither" };
                let message = format!("a rule set needs exactly one of path and body; it has {given}");
                return Err(SetupError::Invalid { place: self.place(at), message });
            }
        };
        if let Err(findings) = flexmatch::RuleSet::parse(&body) {
            let findings = lines(&findings, path);
            return Err(SetupError::RuleSet { place: self.place(member), findings });
        }
        let input = CreateMatchmakingRuleSetInput {
            name: Some(rule_set.name.clone()),
            rule_set_body: Some(body),
            tags: None,
        };
        let made = self.engine.create_matchmaking_rule_set(self.now, input);
        self.checked(at.to_owned(), made)?;
        self.names.rule_sets.insert(rule_set.name.clone());
        Ok(())
    }

    fn configuration(
        &mut self,
        at: &str,
        configuration: &MatchmakingConfiguration,
    ) -> Result<(), SetupError> {
        let rule_set = &configuration.rule_set_name;
        self.known("rule set", rule_set, &self.names.rule_sets, || format!("{at}.rule_set_name"))?;
        let mut queue_arns = Vec::new();
        if let Some(queue) = &configuration.game_session_queue {
            self.known("queue", queue, &self.names.queues, || format!("{at}.game_session_queue"))?;
            let input = DescribeGameSessionQueuesInput {
                names: Some(vec![queue.clone()]),
                ..DescribeGameSessionQueuesInput::default()
            };
            let found = self.engine.describe_game_session_queues(self.now, input);
            let found = self.checked(at.to_owned(), found)?.game_session_queues;
            queue_arns.extend(found.into_iter().map(|queue| queue.game_session_queue_arn));
        }
        let properties = configuration.game_properties.iter();
        let input = MatchmakingConfigurationInput {
            name: Some(configuration.name.clone()),
            description: configuration.description.clone(),
            game_session_queue_arns: Some(queue_arns),
            request_timeout_seconds: Some(configuration.request_timeout_seconds),
            acceptance_timeout_seconds: configuration.acceptance_timeout_seconds,
            acceptance_required: Some(configuration.acceptance_required),
            rule_set_name: Some(rule_set.clone()),
            notification_target: configuration.notification_target.clone(),
            additional_player_count: configuration.additional_player_count,
            custom_event_data: configuration.custom_event_data.clone(),
            game_properties: Some(
                properties
                    .map(|(key, value)| GameProperty { key: key.clone(), value: value.clone() })
                    .collect(),
            ),
            game_session_data: configuration.game_session_data.clone(),
            backfill_mode: configuration.backfill_mode.clone(),
            flex_match_mode: configuration.flex_match_mode.clone(),
            ..MatchmakingConfigurationInput::default()
        };
        let made = self.engine.create_matchmaking_configuration(self.now, input);
        self.checked(at.to_owned(), made).map(|_| ())
    }
}

/// A line for each error, that begins as compilers' messages do if the rule set has a file of its own.
fn lines(findings: &[Finding], path: Option<&Path>) -> String {
    let errors: Vec<_> = findings.iter().filter(|finding| finding.severity == Severity::Error).collect();
    let shown = errors.iter().take(FINDINGS_SHOWN_MAX);
    let mut lines: Vec<String> = shown
        .map(|finding| match path {
            Some(path) => {
                let help = finding.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
                let Finding { line, column, pointer, message, .. } = finding;
                format!("{}:{line}:{column}: {pointer}: {message}{help}", path.display())
            }
            None => finding.to_string(),
        })
        .collect();
    if errors.len() > FINDINGS_SHOWN_MAX {
        lines.push(format!("and {} more", errors.len() - FINDINGS_SHOWN_MAX));
    }
    lines.join("\n")
}
