// Custom tables. Included by sprongus.hpp.
#ifndef SPRONGUS_TABLES_HPP
#define SPRONGUS_TABLES_HPP

#include "sources.hpp"

#include <utility>

namespace sprongus {

// A column and its value, sprongus_text("…") and the like; what it points to is the caller's.
using Column = std::pair<std::string, sprongus_value>;

// Typed tables of the host's own. Errors and what stands in the JSON: as the function of sprongus.h says.
class TableCalls : public SourceCalls {
public:
    // `schema`: {"name", "columns": [{"name", "type", "constraints"?}], "indexes"?}.
    void create_table(std::string_view schema) const {
        check([&](sprongus_error **error) {
            return sprongus_tables_create(on_, schema.data(), schema.size(), error);
        });
    }

    bool table_exists(const std::string &name) const {
        bool exists = false;
        check([&](sprongus_error **error) {
            return sprongus_tables_exists(on_, detail::c_str(name), &exists, error);
        });
        return exists;
    }

    // Nothing where there is no such table.
    void drop_table(const std::string &name) const {
        check([&](sprongus_error **error) { return sprongus_tables_drop(on_, detail::c_str(name), error); });
    }

    // Its schema.
    std::string describe_table(const std::string &name) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_tables_describe(on_, detail::c_str(name), buf, error);
        });
    }

    // A JSON array.
    std::string table_names() const {
        return detail::buffer(
            [&](sprongus_buf **buf, sprongus_error **error) { return sprongus_tables_names(on_, buf, error); });
    }

    // The id of the new row, a JSON object.
    std::string insert_row(const std::string &table, std::string_view row) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_tables_insert(on_, detail::c_str(table), row.data(), row.size(), buf, error);
        });
    }

    // The same of columns and their values: bytes need no Base64, texts no JSON.
    std::string insert_row(const std::string &table, const std::vector<Column> &row) const {
        const Columns columns(row);
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_tables_insert_values(on_, detail::c_str(table), columns.names.data(), columns.values.data(),
                                                 row.size(), buf, error);
        });
    }

    // All of a JSON array of rows or none; a JSON array of their ids.
    std::string insert_rows(const std::string &table, std::string_view rows) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_tables_insert_many(on_, detail::c_str(table), rows.data(), rows.size(), buf, error);
        });
    }

    void update_row(const std::string &table, const std::string &id, std::string_view data) const {
        check([&](sprongus_error **error) {
            return sprongus_tables_update(on_, detail::c_str(table), detail::c_str(id), data.data(), data.size(),
                                          error);
        });
    }

    void update_row(const std::string &table, const std::string &id, const std::vector<Column> &data) const {
        const Columns columns(data);
        check([&](sprongus_error **error) {
            return sprongus_tables_update_values(on_, detail::c_str(table), detail::c_str(id), columns.names.data(),
                                                 columns.values.data(), data.size(), error);
        });
    }

    // The rows that match, all of them without a query.
    Rows query_rows(const std::string &table, const sprongus_rows_query *query = nullptr) const {
        sprongus_rows *rows = nullptr;
        check([&](sprongus_error **error) {
            return sprongus_tables_query(on_, detail::c_str(table), query, &rows, error);
        });
        return Rows(rows);
    }

    // `where` is a JSON object.
    uint64_t count_rows(const std::string &table, const std::optional<std::string> &where = std::nullopt) const {
        uint64_t count = 0;
        check([&](sprongus_error **error) {
            return sprongus_tables_count(on_, detail::c_str(table), detail::c_str(where), &count, error);
        });
        return count;
    }

    void delete_row(const std::string &table, const std::string &id) const {
        check([&](sprongus_error **error) {
            return sprongus_tables_delete(on_, detail::c_str(table), detail::c_str(id), error);
        });
    }

protected:
    using SourceCalls::SourceCalls;
    ~TableCalls() = default;
    TableCalls(TableCalls &&) = default;
    TableCalls &operator=(TableCalls &&) = default;

private:
    // Side by side, as C takes them.
    struct Columns {
        explicit Columns(const std::vector<Column> &row) {
            for (const Column &column : row) {
                names.push_back(detail::c_str(column.first));
                values.push_back(column.second);
            }
        }

        std::vector<const char *> names;
        std::vector<sprongus_value> values;
    };
};

}  // namespace sprongus

#endif  // SPRONGUS_TABLES_HPP
