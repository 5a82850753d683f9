// Entries of the aux store: documents, files, history, references. Included by sprongus.hpp.
#ifndef SPRONGUS_ENTRIES_HPP
#define SPRONGUS_ENTRIES_HPP

#include "queue.hpp"

#include <exception>
#include <functional>
#include <vector>

namespace sprongus {

// Told how many rows are done, and of how many (0: not known); returns whether to go on. What it throws ends the call.
using Progress = std::function<bool(uint64_t done, uint64_t total)>;

namespace detail {

// A progress function in C's hands: nothing it throws passes through C.
class Told {
public:
    explicit Told(const Progress &progress) : progress_(progress) {}

    sprongus_on_progress function() const noexcept { return progress_ ? &tell : nullptr; }

    template <typename Call>
    auto rethrow(Call call) {
        try {
            return call();
        } catch (const Error &) {
            if (thrown_) std::rethrow_exception(thrown_);
            throw;
        }
    }

private:
    static bool tell(void *told, uint64_t done, uint64_t total) noexcept {
        Told *self = static_cast<Told *>(told);
        try {
            return self->progress_(done, total);
        } catch (...) {
            self->thrown_ = std::current_exception();
            return false;
        }
    }

    const Progress &progress_;
    std::exception_ptr thrown_;
};

}  // namespace detail

// Documents of a table of a project. Errors and what stands in the JSON: as the function of sprongus.h says.
class EntryCalls : public QueueCalls {
public:
    Entry create_entry(const std::string &project, const std::string &table, std::string_view payload,
                       const std::optional<std::string> &id = std::nullopt) const {
        return entry([&](sprongus_entry **out, sprongus_error **error) {
            return sprongus_aux_create(on_, detail::c_str(project), detail::c_str(table), payload.data(),
                                       payload.size(), detail::c_str(id), out, error);
        });
    }

    Entry get_entry(const std::string &project, const std::string &table, const std::string &id) const {
        return entry([&](sprongus_entry **out, sprongus_error **error) {
            return sprongus_aux_get(on_, detail::c_str(project), detail::c_str(table), detail::c_str(id), out, error);
        });
    }

    // `flags`: SPRONGUS_REPLACE, SPRONGUS_KEEP_NULLS.
    Entry update_entry(const std::string &project, const std::string &table, const std::string &id,
                       std::string_view patch, uint32_t flags = 0, int64_t if_version = 0) const {
        return entry([&](sprongus_entry **out, sprongus_error **error) {
            return sprongus_aux_update(on_, detail::c_str(project), detail::c_str(table), detail::c_str(id),
                                       patch.data(), patch.size(), flags, if_version, out, error);
        });
    }

    // `flags`: SPRONGUS_REPLACE.
    Entry upsert_entry(const std::string &project, const std::string &table, std::string_view payload,
                       const std::optional<std::string> &id = std::nullopt, uint32_t flags = 0) const {
        return entry([&](sprongus_entry **out, sprongus_error **error) {
            return sprongus_aux_upsert(on_, detail::c_str(project), detail::c_str(table), payload.data(),
                                       payload.size(), detail::c_str(id), flags, out, error);
        });
    }

    // The entries that referred to it, a JSON array; `on_referenced` is "restrict", "warn", "unlink" or "force".
    std::string delete_entry(const std::string &project, const std::string &table, const std::string &id,
                             const std::string &on_referenced = "restrict") const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_aux_delete(on_, detail::c_str(project), detail::c_str(table), detail::c_str(id),
                                       detail::c_str(on_referenced), buf, error);
        });
    }

    Page<Entry> list_entries(const std::string &project, const std::string &table,
                             const sprongus_aux_query *query = nullptr) const {
        sprongus_entry_list *raw = nullptr;
        check([&](sprongus_error **error) {
            return sprongus_aux_list(on_, detail::c_str(project), detail::c_str(table), query, &raw, error);
        });
        detail::Handle<sprongus_entry_list, sprongus_entry_list_free> list(raw);
        return page<Entry>(raw, sprongus_entry_list_count, sprongus_entry_list_at, sprongus_entry_list_next_cursor);
    }

    // How many entries match; `filter` is JSON.
    uint64_t count_entries(const std::string &project, const std::string &table,
                           const std::optional<std::string> &q = std::nullopt,
                           const std::optional<std::string> &filter = std::nullopt) const {
        uint64_t count = 0;
        check([&](sprongus_error **error) {
            return sprongus_aux_count(on_, detail::c_str(project), detail::c_str(table), detail::c_str(q),
                                      detail::c_str(filter), &count, error);
        });
        return count;
    }

    // The report; `items` is a JSON array, `flags`: SPRONGUS_REPLACE, SPRONGUS_REPORT, SPRONGUS_DRY_RUN.
    std::string bulk_upsert(const std::string &project, const std::string &table, std::string_view items,
                            uint32_t flags = 0, const Progress &progress = nullptr) const {
        detail::Told told(progress);
        return told.rethrow([&] {
            return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
                return sprongus_aux_bulk_upsert(on_, detail::c_str(project), detail::c_str(table), items.data(),
                                                items.size(), flags, told.function(), &told, buf, error);
            });
        });
    }

    // The report; `flags`: SPRONGUS_REPLACE, SPRONGUS_REPORT, SPRONGUS_DRY_RUN. The file's extension tells its format
    // where none is given.
    std::string import_entries(const std::string &project, const std::string &table, const std::string &path,
                               uint32_t flags = 0, const std::optional<std::string> &format = std::nullopt,
                               const std::optional<std::string> &delimiter = std::nullopt,
                               const Progress &progress = nullptr) const {
        detail::Told told(progress);
        return told.rethrow([&] {
            return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
                return sprongus_aux_import(on_, detail::c_str(project), detail::c_str(table), detail::c_str(path),
                                           detail::c_str(format), detail::c_str(delimiter), flags, told.function(),
                                           &told, buf, error);
            });
        });
    }

    // The number of rows written; `flags`: SPRONGUS_ESCAPE_FORMULAS.
    uint64_t export_entries(const std::string &project, const std::string &table, const std::string &path,
                            uint32_t flags = 0, const std::optional<std::string> &format = std::nullopt,
                            const Progress &progress = nullptr) const {
        uint64_t count = 0;
        detail::Told told(progress);
        told.rethrow([&] {
            check([&](sprongus_error **error) {
                return sprongus_aux_export(on_, detail::c_str(project), detail::c_str(table), detail::c_str(path),
                                           detail::c_str(format), flags, told.function(), &told, &count, error);
            });
        });
        return count;
    }

    // Every version of an entry, a JSON array, oldest first.
    std::string entry_history(const std::string &project, const std::string &table, const std::string &id) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_aux_history(on_, detail::c_str(project), detail::c_str(table), detail::c_str(id), buf, error);
        });
    }

    // What differs between two versions ("3") or times, a JSON array; without `b`: the present one.
    std::string diff_entry(const std::string &project, const std::string &table, const std::string &id,
                           const std::string &a, const std::optional<std::string> &b = std::nullopt) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_aux_diff(on_, detail::c_str(project), detail::c_str(table), detail::c_str(id),
                                     detail::c_str(a), detail::c_str(b), buf, error);
        });
    }

    // The table as it was at a time, by id.
    std::vector<Entry> entries_as_of(const std::string &project, const std::string &table,
                                     const std::string &at) const {
        sprongus_entry_list *raw = nullptr;
        check([&](sprongus_error **error) {
            return sprongus_aux_as_of(on_, detail::c_str(project), detail::c_str(table), detail::c_str(at), &raw, error);
        });
        detail::Handle<sprongus_entry_list, sprongus_entry_list_free> list(raw);
        return page<Entry>(raw, sprongus_entry_list_count, sprongus_entry_list_at, sprongus_entry_list_next_cursor).items;
    }

    // Makes the document of an earlier version the present one.
    Entry restore_entry(const std::string &project, const std::string &table, const std::string &id,
                        int64_t version) const {
        return entry([&](sprongus_entry **out, sprongus_error **error) {
            return sprongus_aux_restore(on_, detail::c_str(project), detail::c_str(table), detail::c_str(id), version,
                                        out, error);
        });
    }

    // The entries that refer to one, a JSON array.
    std::string referrers(const std::string &project, const std::string &table, const std::string &id) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_aux_referrers(on_, detail::c_str(project), detail::c_str(table), detail::c_str(id), buf,
                                          error);
        });
    }

    // What ids lead to, a JSON array of one view per id.
    std::string resolve_refs(const std::string &project, const std::string &table,
                             const std::vector<std::string> &ids) const {
        std::vector<const char *> raw;
        raw.reserve(ids.size());
        for (const std::string &id : ids) raw.push_back(detail::c_str(id));
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_aux_resolve_refs(on_, detail::c_str(project), detail::c_str(table), raw.data(), raw.size(),
                                             buf, error);
        });
    }

protected:
    using QueueCalls::QueueCalls;
    ~EntryCalls() = default;
    EntryCalls(EntryCalls &&) = default;
    EntryCalls &operator=(EntryCalls &&) = default;
};

}  // namespace sprongus

#endif  // SPRONGUS_ENTRIES_HPP
