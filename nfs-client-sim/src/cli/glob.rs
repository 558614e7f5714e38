//! Patterns of names.

/// A pattern as shells have it: `*` is any text, `?` any character, `[a-z]` and `[!a-z]` one of a set or none of it,
/// and a backslash takes away the meaning of the next character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glob(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Any,
    One(Set),
}

/// The characters that fit at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Set {
    ranges: Vec<(char, char)>,
    negated: bool,
}

impl Set {
    fn contains(&self, c: char) -> bool {
        self.ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != self.negated
    }
}

impl std::str::FromStr for Glob {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = Vec::new();
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            let plain = |c| Part::One(Set { ranges: vec![(c, c)], negated: false });
            parts.push(match c {
                '*' => Part::Any,
                '?' => Part::One(Set { ranges: Vec::new(), negated: true }),
                '\\' => plain(rest.next().unwrap_or('\\')),
                '[' => match set(rest.as_str()) {
                    Some((set, after)) => {
                        rest = after.chars();
                        Part::One(set)
                    }
                    // As shells have it, a bracket that is not closed is a bracket.
                    None => plain('['),
                },
                c => plain(c),
            });
        }
        Ok(Self(parts))
    }
}

/// Reads a set behind its opening bracket. Returns it and what follows the closing one.
fn set(text: &str) -> Option<(Set, &str)> {
    let (negated, text) = match text.strip_prefix(['!', '^']) {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    // A closing bracket in the first place is a member.
    let first = text.chars().next()?.len_utf8();
    let end = text.get(first..)?.find(']')? + first;
    let members: Vec<char> = text.get(..end)?.chars().collect();
    let mut ranges = Vec::new();
    let mut rest = members.as_slice();
    while let [from, after @ ..] = rest {
        match after {
            ['-', to, after @ ..] => {
                ranges.push((*from, *to));
                rest = after;
            }
            after => {
                ranges.push((*from, *from));
                rest = after;
            }
        }
    }
    Some((Set { ranges, negated }, text.get(end + 1..)?))
}

impl Glob {
    /// Whether the whole name fits. The time is bounded by the product of both lengths.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        let (mut part, mut at) = (0, 0);
        // The last star, and where the text that it stands for ends.
        let mut star: Option<(usize, usize)> = None;
        loop {
            match (self.0.get(part), name.get(at)) {
                (Some(Part::Any), _) => {
                    star = Some((part, at));
                    part += 1;
                    continue;
                }
                (Some(Part::One(set)), Some(c)) if set.contains(*c) => {
                    part += 1;
                    at += 1;
                    continue;
                }
                (None, None) => return true,
                _ => {}
            }
            match &mut star {
                Some((after, end)) if *end < name.len() => {
                    *end += 1;
                    (part, at) = (*after + 1, *end);
                }
                _ => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, name: &str) -> bool {
        let Ok(glob) = pattern.parse::<Glob>();
        glob.matches(name)
    }

    #[test]
    fn stars_and_question_marks() {
        assert!(fits("*", "") && fits("*", "abc") && fits("", ""));
        assert!(fits("a*c", "ac") && fits("a*c", "abcbc") && !fits("a*c", "abcb"));
        assert!(fits("*.tar.*", "x.tar.gz") && !fits("*.tar.*", "x.tar"));
        assert!(fits("a?c", "aäc") && !fits("a?c", "ac") && !fits("abc", "ab") && !fits("ab", "abc"));
    }

    #[test]
    fn sets() {
        assert!(fits("[a-c]x", "bx") && !fits("[a-c]x", "dx"));
        assert!(fits("[!a-c]", "d") && !fits("[^a-c]", "a") && !fits("[!a]", ""));
        assert!(fits("[]]", "]") && fits("[a-]", "-") && fits("[", "[") && fits("[a", "[a") && fits("[]", "[]"));
        assert!(fits("\\*", "*") && !fits("\\*", "a") && fits("\\", "\\"));
    }

    #[test]
    fn many_stars_do_not_take_for_ever() {
        assert!(!fits(&"a*".repeat(30), &format!("{}b", "a".repeat(29))));
        assert!(!fits(&format!("{}b", "*a".repeat(40)), &"a".repeat(4000)));
    }
}
