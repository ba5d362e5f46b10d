/// The most braces within braces that are read.
const DEPTH: usize = 8;

/// A text with its LaTeX arithmetic in plain signs, as [`equations`](super::equations) reads it.
///
/// Commands that are no arithmetic stay as they are, so nothing is read that is not there.
///
/// ```
/// use aprm_models::oracle::without_latex;
///
/// assert_eq!(without_latex(r"So \(\frac{1}{3} \times 18 = 6\)."), "So  (1)/(3) * 18 = 6 .");
/// assert_eq!(without_latex(r"\[ \$5 \cdot 3 = \boxed{15} \]"), "  $5 * 3 = 15  ");
/// assert_eq!(without_latex(r"\sqrt{4} = 2"), r"\sqrt{4} = 2");
/// ```
pub fn without_latex(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    render(text, DEPTH, &mut plain);
    plain
}

fn render(mut rest: &str, depth: usize, plain: &mut String) {
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        let command = &rest[at + 1..];
        let letters = command.len() - command.trim_start_matches(|next: char| next.is_ascii_alphabetic()).len();
        let (name, behind) = command.split_at(letters.max(command.chars().next().map_or(0, char::len_utf8)));
        rest = behind;
        match name {
            "(" | ")" | "[" | "]" | " " | "," | ";" | ":" | "quad" => plain.push(' '),
            "$" | "%" => plain.push_str(name),
            "!" | "left" | "right" => {}
            "times" | "cdot" => plain.push('*'),
            "div" => plain.push('/'),
            "frac" | "dfrac" | "tfrac" if depth > 0 => {
                match braced(behind).map(|(above, rest)| (above, braced(rest))) {
                    Some((above, Some((below, behind)))) => {
                        for (part, around) in [(above, ["(", ")/"]), (below, ["(", ")"])] {
                            plain.push_str(around[0]);
                            render(part, depth - 1, plain);
                            plain.push_str(around[1]);
                        }
                        rest = behind;
                    }
                    _ => plain.extend(["\\", name]),
                }
            }
            "boxed" | "text" | "mathrm" | "mathbf" if depth > 0 => match braced(behind) {
                Some((content, behind)) => {
                    render(content, depth - 1, plain);
                    rest = behind;
                }
                None => plain.extend(["\\", name]),
            },
            _ => plain.extend(["\\", name]),
        }
    }
    plain.push_str(rest);
}

/// What stands in the braces that a text begins with, and what behind them.
fn braced(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('{')?;
    let mut open = 1;
    for (at, sign) in inner.char_indices() {
        match sign {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some((&inner[..at], &inner[at + 1..]));
        }
    }
    None
}
