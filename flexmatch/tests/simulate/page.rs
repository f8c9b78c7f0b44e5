//! The page.

use flexmatch::simulate::{Assertion, Page, Report, Side, html};

use super::{DUEL, population, run};

fn page(sides: &[(&str, &Report)], assertions: &[&str]) -> String {
    let checked: Vec<_> =
        assertions.iter().map(|text| text.parse::<Assertion>().unwrap().check(sides[0].1).unwrap()).collect();
    let sides: Vec<_> = sides.iter().map(|(name, report)| Side { name, report }).collect();
    html(&Page { sides: &sides, assertions: &checked })
}

/// Every tag of the page, without attributes, opened and closed in order.
fn is_balanced(page: &str) -> bool {
    let mut open = Vec::new();
    for tag in page.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap();
        let name = tag.split_whitespace().next().unwrap_or_default();
        match name.strip_prefix('/') {
            Some(name) => {
                if open.pop() != Some(name) {
                    return false;
                }
            }
            None if tag.ends_with('/') || ["!doctype", "meta"].contains(&name) => {}
            None => open.push(name),
        }
    }
    open.is_empty()
}

#[test]
fn a_page_has_every_plot_and_needs_nothing_from_outside() {
    let report = run(DUEL, &population());
    let page = page(&[("duel.json", &report)], &["p95_wait<1s"]);
    for title in [
        "Tickets matched within a wait",
        "Tickets that wait, over time",
        "Wait by party size",
        "Wait by home",
        "Wait by tenth of the tickets, by skill",
        "How full the matches are",
        "Expansion step at the match",
        "<h3>Close</h3>",
        "Timeouts by cause",
    ] {
        assert!(page.contains(title), "{title}");
    }
    for foreign in ["http://", "https://", "<script", "<link", "<img", "@import", "url("] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("BROKEN"));
    assert!(is_balanced(&page));
    let plots = page.matches("role=\"img\"").count();
    assert_eq!(plots, page.matches("<title id=").count());
    assert_eq!(plots, page.matches("<desc id=").count());
    assert_eq!(plots, page.matches("<details>").count(), "a table under every plot");
}

#[test]
fn the_same_reports_give_the_same_bytes() {
    let one = run(DUEL, &population());
    let again = run(DUEL, &population());
    assert_eq!(page(&[("a", &one)], &[]), page(&[("a", &again)], &[]));
}

#[test]
fn two_rule_sets_have_two_lines_and_a_legend() {
    let strict = run(&DUEL.replace("50", "6"), &population());
    let page = page(&[("duel.json", &run(DUEL, &population())), ("strict.json", &strict)], &[]);
    let lines = page.matches("class=\"line s0\"").count();
    assert_eq!((lines, page.matches("class=\"line s1\"").count()), (2, 2));
    assert!(page.contains("duel.json against strict.json") && page.contains("class=\"legend\""));
    assert!(is_balanced(&page));
}

#[test]
fn names_from_files_stay_text() {
    let evil = "<script>alert(1)</script>\\\" onload='x' &amp;";
    let text = DUEL
        .replace("\"name\": \"Close\"", &format!("\"name\": \"{evil}\""))
        .replace("\"rules[Close].maxDistance\"", &format!("\"rules[{evil}].maxDistance\""))
        .replace("\"name\": \"duel\"", &format!("\"name\": \"{evil}\""));
    let mut population = population();
    let home = population.homes.remove("europe").unwrap();
    population.homes.insert("<script>home".to_owned(), home);
    population.attributes = [("skill".to_owned(), "{\"uniform\":{\"min\":0,\"max\":2000}}")]
        .map(|(name, json)| (name, serde_json::from_str(json).unwrap()))
        .into();
    let report = run(&text, &population);
    assert!(report.timed_out > 0, "the rule's name is a cause, too");
    let page = page(&[("<script>file", &report), ("\"><b>", &report)], &["fill>0"]);
    for raw in ["<script", "<b>", "onload='x'"] {
        assert!(!page.contains(raw), "{raw}");
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot; onload=&#39;x&#39; &amp;amp;"));
    assert!(is_balanced(&page));
}

#[test]
fn a_figure_without_data_says_so() {
    let mut alone = population();
    alone.parties = [(2, 1.0)].into();
    let page = page(&[("duel.json", &run(DUEL, &alone))], &["p95_wait<1s"]);
    for missing in ["no ticket was matched", "no match was made", "no match was measured"] {
        assert!(page.contains(&format!("No data: {missing}.")), "{missing}");
    }
    assert!(page.contains("party too large") && is_balanced(&page));
    assert!(!page.contains("NaN") && !page.contains("inf\""));
}
