//! The CSV dialects of published suites, through imports and exports.

use std::path::Path;

use serde_json::{Map, Value, json};
use sprongus::aux_store::{Aux, BulkOptions, BulkReport, ExportOptions, Format, ImportOptions, ListQuery, Mode};
use sprongus::{ErrorCode, Result};
use sprongus_conformance::{Case, Env, Face};
use sprongus_testkit::{data_dir, temp_file};

use crate::aux_entries::{bind, payload};

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, covers, run| Case { name, covers, transactional: true, run };
    vec![
        case("files::the_spectrum_of_csv", &["aux.import"], spectrum),
        case("files::what_papaparse_reads", &["aux.import"], parse),
        case("files::what_papaparse_writes", &["aux.export", "aux.import"], unparse),
        case("files::small_files_of_rust_csv", &["aux.import"], small_files),
    ]
}

/// A table that takes any document.
fn any<'f>(on: &'f Face<'f, '_>) -> Aux<'f> {
    bind(*on, "rows", json!({"type": "object"}));
    on.aux("rows")
}

/// Makes the table equal to the text.
fn import(aux: &Aux<'_>, text: &[u8], delimiter: Option<&str>) -> Result<BulkReport> {
    let bulk = BulkOptions { mode: Mode::Replace, ..BulkOptions::default() };
    let options = ImportOptions { bulk, delimiter: delimiter.map(str::to_owned), ..ImportOptions::default() };
    aux.import_from(text, Format::Csv, &options, &mut |_, _| Ok(()))
}

/// The documents: their ids were made in the order of the rows.
fn rows(aux: &Aux<'_>) -> Vec<Value> {
    let page = aux.list(&ListQuery { limit: 1000, ..ListQuery::default() }).unwrap();
    page.iter().map(payload).collect()
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn spectrum(env: &Env) {
    let Some(folder) = data_dir().map(|data| data.join("csv/csv-spectrum")) else { return };
    env.within(|on| {
        let aux = any(&on);
        let mut imported = 0;
        for file in std::fs::read_dir(folder.join("csvs")).unwrap() {
            let file = file.unwrap().path();
            let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
            let done = import(&aux, &std::fs::read(&file).unwrap(), None);
            // Seconds of arc, unquoted: quotes astray.
            if name == "location_coordinates" {
                assert_eq!(done.unwrap_err().violations_list()[0].keyword, "csv");
                continue;
            }
            done.unwrap();
            assert_eq!(Value::from(rows(&aux)), read(&folder.join(format!("json/{name}.json"))), "{name}");
            imported += 1;
        }
        assert_eq!(imported, 11);
    });
}

/// What becomes of a case that asks for what an import has not.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Instead {
    /// The file is refused by keyword `csv`, and nothing is stored.
    Refused,
    /// The option is refused.
    Argument,
    /// The rows are there, as text, as many as the file has.
    Rows(u64),
    /// As wanted, with this delimiter: none is guessed.
    Delimiter(&'static str),
}

use Instead::{Argument, Delimiter, Refused, Rows};

/// Each case that is not read as its suite wants it, and why.
const NOT_AS_WANTED: &[(&str, &str, Instead)] = &[
    ("Unquoted field with quotes at end of field", "a stray quote is an error", Refused),
    ("Misplaced quotes in data, not as opening quotes", "a stray quote is an error", Refused),
    ("Misplaced quotes in data twice, not as opening quotes", "a stray quote is an error", Refused),
    (
        "Quoted field has invalid trailing quote after delimiter with a valid closer",
        "a stray quote is an error",
        Refused,
    ),
    ("Quoted field has invalid trailing quote before delimiter", "a stray quote is an error", Refused),
    ("Quoted fields with spaces between closing quote and next new line", "a stray quote is an error", Refused),
    (
        "Quoted fields with spaces between closing quote and next delimiter and contains delimiter",
        "a stray quote is an error",
        Refused,
    ),
    ("Custom escape character in the middle", "a quote is escaped by another one only", Refused),
    ("Using reserved regex character . as quote character", "only a double quote quotes", Refused),
    ("Commented line in middle", "there are no comments", Refused),
    ("Two comment lines consecutively", "there are no comments", Refused),
    ("Three comment lines consecutively at beginning of file", "there are no comments", Refused),
    ("Comment with non-default character", "there are no comments", Refused),
    ("Multi-character comment string", "there are no comments", Refused),
    ("Fast mode with comments", "there are no comments", Refused),
    (
        "Lines with comments are not used when guessing the delimiter in a non-escaped file",
        "there are no comments",
        Refused,
    ),
    ("Input with only a commented line and blank line after", "there are no comments", Rows(1)),
    ("Duplicated header names with headerTransform", "a repeated header is an error", Refused),
    ("Duplicate header names with __proto__ field", "a repeated header is an error", Refused),
    ("Row with too few fields", "a ragged row is an error", Refused),
    ("Parsing with skipEmptyLines set to 'greedy'", "a line of empty cells is a row, a ragged one an error", Refused),
    ("Skip First N number of lines , with header and 2 rows", "no lines are skipped", Rows(1)),
    ("Skip First N number of lines , with header false", "no lines are skipped", Rows(3)),
    ("Skip first 2 lines , with custom newline character", "no lines are skipped", Refused),
    ("Preview 2 rows", "a file is imported whole", Rows(3)),
    ("Preview with header row", "a file is imported whole", Rows(3)),
    ("transformHeader accepts and optional index attribute", "nothing is transformed", Rows(1)),
    ("Custom transform accepts column number also", "nothing is transformed", Rows(2)),
    (
        "Dynamic typing converts numeric literals and maintains precision",
        "types are the preset's, never guessed",
        Rows(4),
    ),
    ("Dynamic typing applies to specific columns by index", "types are the preset's, never guessed", Rows(3)),
    ("Dynamic typing by indices can be determined by function", "types are the preset's, never guessed", Rows(1)),
    ("Dynamic typing converts empty values into NULL", "types are the preset's, never guessed", Rows(3)),
    ("Dynamic typing converts ISO date strings to Dates", "types are the preset's, never guessed", Rows(3)),
    ("Bad delimiter (\\n)", "a delimiter is one ASCII character", Argument),
    ("Multi-character delimiter (length 2) with quoted field", "a delimiter is one ASCII character", Argument),
    (
        "Pipe delimiter is guessed correctly when some fields are enclosed in quotes and contain delimiter characters and escaoped quotes",
        "no delimiter is guessed",
        Delimiter(";"),
    ),
];

fn parse(env: &Env) {
    let Some(folder) = data_dir().map(|data| data.join("csv/papaparse")) else { return };
    env.within(|on| {
        let aux = any(&on);
        let (mut as_wanted, mut otherwise) = (0, 0);
        for file in ["core_parser_tests.json", "parse_tests.json"] {
            for case in read(&folder.join(file)).as_array().unwrap() {
                let name = case["description"].as_str().unwrap();
                match NOT_AS_WANTED.iter().find(|(known, ..)| *known == name) {
                    Some((.., instead)) => {
                        not_as_wanted(&aux, case, *instead);
                        otherwise += 1;
                    }
                    None => {
                        is_as_wanted(&aux, case, case["config"]["delimiter"].as_str());
                        as_wanted += 1;
                    }
                }
            }
        }
        assert_eq!((as_wanted, otherwise), (81 - NOT_AS_WANTED.len(), NOT_AS_WANTED.len()));
    });
}

/// The input under a header, which most of these files have not.
fn under_header(case: &Value, delimiter: Option<&str>) -> String {
    let input = case["input"].as_str().unwrap();
    if case["config"]["header"] == true {
        return input.to_owned();
    }
    let width = case["expected"]["data"].as_array().unwrap().iter().map(|row| row.as_array().map_or(1, Vec::len)).max();
    let header: Vec<String> = (0..width.unwrap_or(1)).map(|n| format!("c{n}")).collect();
    let (mark, input) = input.strip_prefix('\u{feff}').map_or(("", input), |input| ("\u{feff}", input));
    format!("{mark}{}\n{input}", header.join(delimiter.filter(|one| one.len() == 1 && *one != "\n").unwrap_or(",")))
}

fn is_as_wanted(aux: &Aux<'_>, case: &Value, delimiter: Option<&str>) {
    import(aux, under_header(case, delimiter).as_bytes(), delimiter).unwrap_or_else(|error| panic!("{error}: {case}"));
    let data = case["expected"]["data"].as_array().unwrap();
    // A blank line is no row here.
    let wanted = data.iter().filter(|row| **row != json!([""])).map(|row| match row {
        Value::Array(cells) => document(cells.iter().enumerate().map(|(n, cell)| (format!("c{n}"), cell.clone()))),
        row => document(row.as_object().unwrap().clone()),
    });
    let found = rows(aux).into_iter().map(|row| document(row.as_object().unwrap().clone()));
    assert_eq!(found.collect::<Vec<_>>(), wanted.collect::<Vec<_>>(), "{case}");
}

/// The suite does not tell an empty cell from a quoted empty one.
fn document(members: impl IntoIterator<Item = (String, Value)>) -> Map<String, Value> {
    members.into_iter().filter(|(_, value)| *value != "").collect()
}

fn not_as_wanted(aux: &Aux<'_>, case: &Value, instead: Instead) {
    let delimiter = case["config"]["delimiter"].as_str();
    let before = rows(aux);
    let done = import(aux, under_header(case, delimiter).as_bytes(), delimiter);
    match instead {
        Refused => {
            let error = done.unwrap_err();
            assert_eq!(
                (error.code(), error.violations_list()[0].keyword.as_str()),
                (ErrorCode::Validation, "csv"),
                "{case}"
            );
            assert_eq!(rows(aux), before, "{case}");
        }
        Argument => assert_eq!(done.unwrap_err().code(), ErrorCode::InvalidArgument, "{case}"),
        Rows(count) => {
            assert_eq!(done.unwrap().created, count, "{case}");
            let all = rows(aux);
            assert!(all.iter().flat_map(|row| row.as_object().unwrap().values()).all(Value::is_string), "{case}");
        }
        Delimiter(delimiter) => is_as_wanted(aux, case, Some(delimiter)),
    }
}

/// Options an export has not, a null that is `\N`, and a number among texts, which is marked as JSON.
const NOT_WRITTEN: &[(&str, &str)] = &[
    ("Custom delimiter (tab)", "an export has commas"),
    ("Custom delimiter (Multi-character)", "an export has commas"),
    ("Force quotes around string fields only", "a number in a column of texts is JSON in a marked column"),
    ("Empty input", "there is always a header"),
    ("Specifying column names only (no data)", "columns are those of the entries"),
    ("With header row, with extra field in a row", "every field is written"),
    ("JSON null is treated as empty value", "null is not missing"),
    ("Returns empty rows when empty rows are passed and skipEmptyLines is false", "null is not missing"),
    ("Returns without empty rows when skipEmptyLines is true with headers", "null is not missing"),
    ("Column option used to manually specify keys", "columns are those of the entries"),
    ("Use different escapeChar", "a quote is escaped by another one only"),
    ("Custom quoteChar escapes and quotes embedded quoteChar (no escapeChar)", "only a double quote quotes"),
    ("Escape formulae with single-quote quoteChar and escapeChar and forced quotes", "only a double quote quotes"),
    (
        "Escape formulae with tab and carriage-return, with single-quote quoteChar and escapeChar and forced quotes",
        "only a double quote quotes",
    ),
    ("Don't print header if header:false option specified", "there is always a header"),
];

/// The cells are compared, not the quotes around those that need none, nor the ends of lines.
fn unparse(env: &Env) {
    let Some(folder) = data_dir().map(|data| data.join("csv/papaparse")) else { return };
    let (_kept, path) = temp_file("out.csv");
    env.within(|on| {
        let aux = any(&on);
        let (mut as_wanted, mut otherwise) = (0, 0);
        for case in read(&folder.join("unparse_tests.json")).as_array().unwrap() {
            let input = case["input"].get("data").unwrap_or(&case["input"]).as_array().cloned().unwrap_or_default();
            let documents: Vec<Value> = input.iter().enumerate().map(|(n, row)| entry(n, row)).collect();
            let replace = BulkOptions { mode: Mode::Replace, ..BulkOptions::default() };
            aux.import_items(documents.into_iter().map(Ok), replace, &mut |_, _| Ok(())).unwrap();
            let escape_formulas = case["config"]["escapeFormulae"] == true;
            aux.export(&path, ExportOptions { escape_formulas, ..ExportOptions::default() }, &mut |_, _| Ok(()))
                .unwrap();
            if !escape_formulas {
                let all = rows(&aux);
                import(&aux, &std::fs::read(&path).unwrap(), None).unwrap();
                assert_eq!(rows(&aux), all, "{case}");
            }
            if NOT_WRITTEN.iter().any(|(known, _)| case["description"] == *known) {
                otherwise += 1;
                continue;
            }
            let header = input.first().is_some_and(Value::is_object);
            let found = cells(&std::fs::read(&path).unwrap()).into_iter().skip(usize::from(!header));
            let found: Vec<Vec<String>> = found.map(|row| row[1..].to_vec()).collect();
            assert_eq!(found, cells(case["expected"].as_str().unwrap().as_bytes()), "{case}");
            as_wanted += 1;
        }
        assert_eq!((as_wanted, otherwise), (26 - NOT_WRITTEN.len(), NOT_WRITTEN.len()));
    });
}

fn entry(n: usize, row: &Value) -> Value {
    let mut document = match row {
        Value::Array(cells) => cells.iter().enumerate().map(|(n, cell)| (format!("c{n}"), cell.clone())).collect(),
        row => row.as_object().unwrap().clone(),
    };
    document.insert("id".to_owned(), format!("{n:03}").into());
    Value::Object(document)
}

fn cells(file: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file);
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn small_files(env: &Env) {
    let Some(folder) = data_dir().map(|data| data.join("csv/rust-csv")) else { return };
    env.within(|on| {
        let aux = any(&on);
        let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
        import(&aux, &read("smallpop.csv"), None).unwrap();
        let towns = rows(&aux);
        assert_eq!(
            towns[0],
            json!({"city": "Southborough", "region": "MA", "country": "United States", "population": "9686"})
        );
        import(&aux, &read("smallpop-colon.csv"), Some(":")).unwrap();
        assert_eq!((rows(&aux), towns.len()), (towns, 10));
        assert_eq!(import(&aux, &read("uspop.csv"), None).unwrap().created, 100);
        let found = rows(&aux);
        let unknown = found.iter().filter(|row| row.get("Population").is_none()).count();
        assert_eq!(import(&aux, &read("uspop-null.csv"), None).unwrap().created, 100);
        // NULL is a text like any other: null is \N.
        let nulls = rows(&aux).iter().filter(|row| row["Population"] == "NULL").count();
        assert!(unknown > nulls && nulls > 0, "{unknown} {nulls}");

        let before = rows(&aux);
        let refused =
            |name: &str, delimiter| import(&aux, &read(name), delimiter).unwrap_err().violations_list().remove(0);
        let latin = refused("uspop-latin1.csv", None);
        assert_eq!(latin.keyword, "encoding");
        assert!(latin.message.contains("byte 0xD5 at offset") && latin.message.contains("line 4"), "{latin:?}");
        // Quotes are escaped by backslashes there.
        assert_eq!(refused("strange.csv", Some(";")).keyword, "csv");
        assert_eq!(rows(&aux), before);

        // Its first row would name the columns; a preset that knows what they are called tells.
        let fields = ["city", "region", "country", "population"].map(|name| json!({"name": name, "type": "string"}));
        bind(on, "towns", json!({ "fields": fields }));
        let towns = on.aux("towns");
        let error = import(&towns, &read("smallpop-no-headers.csv"), None).unwrap_err();
        assert!(error.violations_list().iter().all(|one| one.keyword == "additionalProperties"));
        assert_eq!(rows(&towns), Vec::<Value>::new());
    });
}
