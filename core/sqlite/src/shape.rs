//! Whose row is it? Told by number and kinds of its columns, where nothing else of a database is left to tell.

use crate::Migration;
use crate::record::Row;
use rusqlite::Connection;
use rusqlite::types::Value;

/// Rows of one table under one version of its schema.
pub(crate) struct Shape {
    pub table: String,
    pub columns: Vec<Column>,
}

/// A column as its rows keep it.
pub(crate) struct Column {
    pub name: String,
    kind: String,
    required: bool,
    /// It is the row's number, which is not kept among the columns.
    pub is_number: bool,
}

impl Shape {
    fn fits(&self, row: &[Value]) -> bool {
        row.len() == self.columns.len()
            && (self.columns.iter().zip(row)).all(|(column, value)| column.fits(value))
    }

    /// Of SQLite's own tables, which are in every database.
    fn of_sqlite(table: &str, kinds: &[&str]) -> Self {
        let columns = kinds.iter().map(|kind| Column {
            name: String::new(),
            kind: (*kind).to_owned(),
            required: false,
            is_number: false,
        });
        Self {
            table: table.to_owned(),
            columns: columns.collect(),
        }
    }
}

impl Column {
    fn fits(&self, value: &Value) -> bool {
        match (value, self.kind.as_str()) {
            (Value::Null, _) => !self.required || self.is_number,
            _ if self.is_number => false,
            (Value::Integer(_), "INTEGER" | "INT" | "REAL" | "ANY") => true,
            (Value::Real(_), "REAL" | "ANY") => true,
            (Value::Text(_), "TEXT" | "ANY") => true,
            (Value::Blob(_), "BLOB" | "ANY") => true,
            _ => false,
        }
    }
}

/// Shapes of the numbered tables (STRICT, as all are) of every version of a schema, the newest first.
pub(crate) fn shapes(migrations: &[Migration]) -> rusqlite::Result<Vec<Shape>> {
    let db = Connection::open_in_memory()?;
    let mut shapes = vec![
        Shape::of_sqlite(
            "sqlite_schema",
            &["TEXT", "TEXT", "TEXT", "INTEGER", "TEXT"],
        ),
        Shape::of_sqlite("sqlite_sequence", &["TEXT", "INTEGER"]),
    ];
    for migration in migrations {
        db.execute_batch(migration.sql)?;
        let mut tables = db.prepare(
            "SELECT name FROM pragma_table_list
             WHERE schema = 'main' AND type = 'table' AND NOT wr AND name NOT LIKE 'sqlite_%'",
        )?;
        let tables = tables.query_map([], |row| row.get(0))?;
        for table in tables.collect::<Result<Vec<String>, _>>()? {
            let columns = columns(&db, &table)?;
            shapes.push(Shape { table, columns });
        }
    }
    shapes.reverse();
    Ok(shapes)
}

/// Columns that are kept, in their order: not those that are worked out.
pub(crate) fn columns(db: &Connection, table: &str) -> rusqlite::Result<Vec<Column>> {
    let mut query = db.prepare(
        "SELECT name, upper(type), \"notnull\" OR pk > 0,
                pk > 0 AND upper(type) = 'INTEGER' AND (SELECT max(pk) FROM pragma_table_xinfo(?1)) = 1
         FROM pragma_table_xinfo(?1) WHERE hidden = 0",
    )?;
    query
        .query_map([table], |row| {
            Ok(Column {
                name: row.get(0)?,
                kind: row.get(1)?,
                required: row.get(2)?,
                is_number: row.get(3)?,
            })
        })?
        .collect()
}

/// The shape of each of these rows, which are of one table; `None` where it is not certain of which.
pub(crate) fn shape_of<'a>(shapes: &'a [Shape], rows: &[Row]) -> Option<Vec<&'a Shape>> {
    let mut tables: Vec<&str> = shapes.iter().map(|shape| shape.table.as_str()).collect();
    tables.sort_unstable();
    tables.dedup();
    let mut fitting = tables.into_iter().filter_map(|table| {
        let of_table = || shapes.iter().filter(|shape| shape.table == table);
        rows.iter()
            .map(|(_, row)| of_table().find(|shape| shape.fits(row)))
            .collect::<Option<Vec<_>>>()
    });
    let only = fitting.next()?;
    fitting.next().is_none().then_some(only)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const MIGRATIONS: &[Migration] = &[
        Migration {
            sql: "CREATE TABLE a (n INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
                  CREATE TABLE b (key BLOB PRIMARY KEY, at INTEGER, text TEXT) STRICT;
                  CREATE TABLE twin (n INTEGER PRIMARY KEY, at INTEGER, text TEXT) STRICT;
                  CREATE TABLE brother (n INTEGER PRIMARY KEY, seen INTEGER, name TEXT) STRICT;",
        },
        Migration {
            sql: "ALTER TABLE a ADD COLUMN half INTEGER NOT NULL AS (n / 2) VIRTUAL;
                  ALTER TABLE a ADD COLUMN told INTEGER;",
        },
    ];

    fn table(rows: &[&[Value]]) -> Option<(String, usize)> {
        let shapes = shapes(MIGRATIONS).unwrap();
        let rows: Vec<Row> = rows.iter().map(|row| (1, row.to_vec())).collect();
        let found = shape_of(&shapes, &rows)?;
        let first = found.first()?;
        Some((first.table.clone(), first.columns.len()))
    }

    #[test]
    fn only_what_is_certain_has_a_table() {
        let blob = || Value::Blob(vec![1]);
        let old = [Value::Null, blob()];
        let new = [Value::Null, blob(), Value::Integer(1)];
        assert_eq!(table(&[&old]), Some(("a".into(), 2)));
        assert_eq!(table(&[&old, &new]), Some(("a".into(), 2)));
        assert_eq!(table(&[&new]), Some(("a".into(), 3)));
        let other = [blob(), Value::Null, Value::Null];
        assert_eq!(table(&[&other]), Some(("b".into(), 3)));
        assert_eq!(table(&[&old, &other]), None, "of two tables");
        let either = [Value::Null, Value::Integer(1), Value::Null];
        assert_eq!(table(&[&either]), None, "of either table");
        assert_eq!(table(&[&[Value::Integer(1), blob()]]), None);
        let sequence = [Value::Text("a".into()), Value::Integer(3)];
        assert_eq!(table(&[&sequence]), Some(("sqlite_sequence".into(), 2)));
    }
}
