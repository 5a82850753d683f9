//! The formats of internationalised names. The full rules (RFC 5890 to 5893) come with tables that would be the largest
//! part of this library; here the shape is asserted: labels, lengths, and letters where ASCII allows only some.

/// RFC 6531: a local part and a domain.
pub(super) fn idn_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain = !local.is_empty()
        && local.len() <= 64
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..");
    let quoted = local.len() > 2 && local.starts_with('"') && local.ends_with('"');
    let unspaced = quoted
        || !local
            .chars()
            .any(|letter| letter.is_whitespace() || letter.is_control() || "<>()[],;:@\\\"".contains(letter));
    plain && unspaced && idn_hostname(domain)
}

/// RFC 5890 in shape: labels of 1 to 63 characters between dots, 253 in all.
pub(super) fn idn_hostname(text: &str) -> bool {
    let dots = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'];
    text.chars().count() <= 253 && text.split(dots).all(is_label)
}

fn is_label(label: &str) -> bool {
    let allowed = |letter: char| match letter {
        '-' => true,
        _ if letter.is_ascii() => letter.is_ascii_alphanumeric(),
        _ => !letter.is_whitespace() && !letter.is_control(),
    };
    (1..=63).contains(&label.chars().count())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(allowed)
}
