//! Text, tables and frames of a page. Whatever comes from a file goes through [`escape`].

/// Text that means nothing in HTML, in an element or in a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            // HTML has no place for other control characters.
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A table; its caption is for those who hear it.
pub(super) fn table(caption: &str, head: &[String], rows: &[Vec<String>]) -> String {
    let mut out = format!("<div class=\"scroll\"><table>\n<caption>{}</caption>\n<tr>", escape(caption));
    for name in head {
        out += &format!("<th scope=\"col\">{}</th>", escape(name));
    }
    out += "</tr>\n";
    for row in rows {
        out += "<tr>";
        for (index, cell) in row.iter().enumerate() {
            out += &match index {
                0 => format!("<th scope=\"row\">{}</th>", escape(cell)),
                _ => format!("<td>{}</td>", escape(cell)),
            };
        }
        out += "</tr>\n";
    }
    out + "</table></div>\n"
}

/// How a rule set looks in plots: a full bar, or an outlined one.
pub(super) fn swatch(index: usize) -> String {
    format!(
        "<svg class=\"swatch\" viewBox=\"0 0 28 12\" aria-hidden=\"true\">\
         <rect class=\"bar s{index}\" x=\"1\" y=\"1\" width=\"26\" height=\"10\"/></svg>"
    )
}

/// A figure of a page.
pub(super) struct Card<'a> {
    pub(super) title: &'a str,
    /// How to read it.
    pub(super) note: &'a str,
    /// The plot; without it, what there is no data of.
    pub(super) plot: Result<String, &'a str>,
    /// Names of the rule sets, if they are told apart here.
    pub(super) legend: &'a [&'a str],
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Card<'_> {
    pub(super) fn html(&self) -> String {
        let title = escape(self.title);
        let mut out = format!("<figure>\n<h3>{title}</h3>\n");
        match &self.plot {
            Err(why) => out += &format!("<p class=\"empty\">No data: {}.</p>\n", escape(why)),
            Ok(plot) => {
                out += &format!("<p class=\"note\">{}</p>\n", escape(self.note));
                if self.legend.len() > 1 {
                    out += "<ul class=\"legend\">";
                    for (index, name) in self.legend.iter().enumerate() {
                        out += &format!("<li>{} {}</li>", swatch(index), escape(name));
                    }
                    out += "</ul>\n";
                }
                out += plot;
                out += "<details><summary>Numbers</summary>\n";
                out += &table(self.title, &self.head, &self.rows);
                out += "</details>\n";
            }
        }
        out + "</figure>\n"
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn escaped_text_can_neither_open_a_tag_nor_leave_an_attribute(text in ".*") {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains(['<', '>', '"', '\'', '\0']));
        }
    }
}
