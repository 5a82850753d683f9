//! The file that is imported: records of invented works, 20 columns of text, integers, numbers, booleans, some empty.

use std::path::Path;

use serde_json::{Value, json};

/// A column: its name and its type in the preset.
pub(crate) type Column = (&'static str, &'static str);

/// The columns, in the order of the file.
pub(crate) const COLUMNS: [Column; 20] = [
    ("id", "string"),
    ("accessionNumber", "string"),
    ("title", "string"),
    ("maker", "string"),
    ("makerId", "integer"),
    ("medium", "string"),
    ("creditLine", "string"),
    ("year", "integer"),
    ("acquired", "integer"),
    ("width", "number"),
    ("height", "number"),
    ("depth", "number"),
    ("units", "string"),
    ("onDisplay", "boolean"),
    ("published", "boolean"),
    ("rating", "number"),
    ("inscription", "string"),
    ("thumbnailUrl", "string"),
    ("url", "string"),
    ("note", "string"),
];

/// The preset that validates a row: a field list, `title` and `medium` required.
pub(crate) fn preset() -> Value {
    let fields = COLUMNS.iter().filter(|(name, _)| *name != "id").map(|(name, kind)| {
        let required = ["title", "medium"].contains(name);
        json!({ "name": name, "type": kind, "required": required })
    });
    json!({ "fields": fields.collect::<Vec<_>>() })
}

const MEDIA: [&str; 6] =
    ["Oil paint on canvas", "Graphite on paper", "Etching", "Gelatin silver print", "Bronze, cast", "Tempera on wood"];
const PLACES: [&str; 6] =
    ["the old harbour", "Älvdal", "a garden wall", "Côte des Tilleuls", "the mill at dusk", "北の岬"];
const SUBJECTS: [&str; 6] = ["Study of", "View over", "Figures before", "Night near", "Sketch for", "Storm above"];
const NAMES: [&str; 5] = [
    "Workshop of the Blue Door",
    "Unknown maker, northern school",
    "Atelier Quince & Daughter",
    "Master of the Tin Roof",
    "Collective Ördög",
];

/// Writes so many rows, the same each time.
pub(crate) fn write(path: &Path, rows: usize) {
    let mut random = fastrand::Rng::with_seed(69_000);
    let mut csv = csv::Writer::from_path(path).unwrap();
    csv.write_record(COLUMNS.map(|(name, _)| name)).unwrap();
    for row in 1..=rows {
        csv.write_record(record(row, &mut random)).unwrap();
    }
    csv.flush().unwrap();
}

/// The cells of a row.
pub(crate) fn record(row: usize, random: &mut fastrand::Rng) -> [String; 20] {
    let (subject, place) = (pick(random, &SUBJECTS), pick(random, &PLACES));
    let mut some = |share: f64, text: String| if random.f64() < share { text } else { String::new() };
    let year = 1500 + row % 520;
    [
        format!("w{row:06}"),
        format!("A{row:05}.{}", row % 9),
        format!("{subject} {place}, no. {row}"),
        NAMES[row % NAMES.len()].to_owned(),
        (row % 3_500).to_string(),
        MEDIA[row % MEDIA.len()].to_owned(),
        some(0.9, format!("Presented by the friends of {place}, {}", year.max(1890))),
        some(0.85, year.to_string()),
        (1890 + row % 135).to_string(),
        some(0.95, format!("{}.{}", 100 + row % 900, row % 10)),
        some(0.95, format!("{}.5", 80 + row % 700)),
        some(0.1, format!("{}.25", row % 90)),
        "mm".to_owned(),
        row.is_multiple_of(17).to_string(),
        (!row.is_multiple_of(5)).to_string(),
        some(0.5, format!("{:.2}", (row % 500) as f64 / 100.0)),
        some(0.2, format!("signed and dated lower left, \"{year}\"")),
        format!("https://example.org/images/work/{row:06}_8.jpg"),
        format!("https://example.org/works/w{row:06}"),
        some(
            0.4,
            format!("Seen from {place}; restored {}, frame not original.\nCatalogue page {}.", year + 300, row % 640),
        ),
    ]
}

fn pick<'a>(random: &mut fastrand::Rng, from: &[&'a str]) -> &'a str {
    from[random.usize(..from.len())]
}

/// The rows of the file as text, one after the other, for the work by hand.
pub(crate) fn each_row(path: &Path, mut row: impl FnMut(&csv::StringRecord)) {
    let mut csv = csv::Reader::from_path(path).unwrap();
    let mut record = csv::StringRecord::new();
    while csv.read_record(&mut record).unwrap() {
        row(&record);
    }
}

/// A cell as its column's type says; an empty one is missing.
pub(crate) fn typed(column: Column, cell: &str) -> Option<Value> {
    match column.1 {
        _ if cell.is_empty() => None,
        "integer" => Some(json!(cell.parse::<i64>().unwrap())),
        "number" => Some(json!(cell.parse::<f64>().unwrap())),
        "boolean" => Some(json!(cell.parse::<bool>().unwrap())),
        _ => Some(json!(cell)),
    }
}

/// A row as a document, without its id.
pub(crate) fn document(record: &csv::StringRecord) -> String {
    let cells = COLUMNS.iter().zip(record).skip(1);
    let members = cells.filter_map(|(column, cell)| Some((column.0.to_owned(), typed(*column, cell)?)));
    Value::Object(members.collect()).to_string()
}

/// The record of a stored document.
pub(crate) fn write_document<W: std::io::Write>(csv: &mut csv::Writer<W>, id: &str, payload: &str) {
    let document: serde_json::Map<String, Value> = serde_json::from_str(payload).unwrap();
    csv.write_field(id).unwrap();
    for (name, _) in &COLUMNS[1..] {
        match document.get(*name) {
            None => csv.write_field("").unwrap(),
            Some(Value::String(text)) => csv.write_field(text).unwrap(),
            Some(value) => csv.write_field(value.to_string()).unwrap(),
        }
    }
    csv.write_record(None::<&[u8]>).unwrap();
}
