//! NUMERIC's binary form as decimal text (src/backend/utils/adt/numeric.c, `numeric_send`).

use super::decode::Cursor;

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;

/// The decimal text, as PostgreSQL's own output has it; `None` where the bytes are not a NUMERIC.
pub(super) fn to_text(raw: &[u8]) -> Option<String> {
    let mut cursor = Cursor::new(raw);
    let count = usize::from(cursor.u16()?);
    let weight = i32::from(cursor.u16()?.cast_signed());
    let sign = cursor.u16()?;
    let scale = usize::from(cursor.u16()?);
    match sign {
        NAN => return Some("NaN".to_owned()),
        INFINITY => return Some("Infinity".to_owned()),
        NEGATIVE_INFINITY => return Some("-Infinity".to_owned()),
        _ => {}
    }
    let groups: Vec<u16> = (0..count).map(|_| cursor.u16()).collect::<Option<_>>()?;
    let group =
        |place: i32| usize::try_from(weight - place).ok().and_then(|index| groups.get(index)).copied().unwrap_or(0);

    let mut text = String::from(if sign == NEGATIVE { "-" } else { "" });
    text.push_str(&group(weight.max(0)).to_string());
    for place in (0..weight).rev() {
        text.push_str(&format!("{:04}", group(place)));
    }
    if scale > 0 {
        let mut fraction = String::new();
        let mut place = -1;
        while fraction.len() < scale {
            fraction.push_str(&format!("{:04}", group(place)));
            place -= 1;
        }
        text.push('.');
        text.push_str(&fraction[..scale]);
    }
    Some(text)
}
