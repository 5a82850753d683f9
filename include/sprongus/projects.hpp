// Projects and settings. Included by sprongus.hpp.
#ifndef SPRONGUS_PROJECTS_HPP
#define SPRONGUS_PROJECTS_HPP

#include "tables.hpp"

namespace sprongus {

// A project as it was when the call returned.
class Project {
public:
    // Copies what a handle of C's shows; does not take it over.
    explicit Project(const sprongus_project *project)
        : id_(detail::text(sprongus_project_id(project))),
          name_(detail::text(sprongus_project_name(project))),
          slug_(detail::text(sprongus_project_slug(project))),
          status_(detail::text(sprongus_project_status(project))),
          json_(detail::text(sprongus_project_to_json(project))),
          owner_(detail::maybe(sprongus_project_owner(project))) {}

    const std::string &id() const noexcept { return id_; }
    // What people call it.
    const std::string &name() const noexcept { return name_; }
    // What addresses call it.
    const std::string &slug() const noexcept { return slug_; }
    const std::optional<std::string> &owner() const noexcept { return owner_; }
    const std::string &status() const noexcept { return status_; }
    // All of it.
    const std::string &json() const noexcept { return json_; }

private:
    std::string id_, name_, slug_, status_, json_;
    std::optional<std::string> owner_;
};

// Projects and settings. Errors and what stands in the JSON: as the function of sprongus.h says.
class ProjectCalls : public TableCalls {
public:
    // Its id and slug are made where none are given.
    Project create_project(const std::string &name, const std::optional<std::string> &id = std::nullopt,
                           const std::optional<std::string> &slug = std::nullopt,
                           const std::optional<std::string> &owner = std::nullopt) const {
        return project([&](sprongus_project **out, sprongus_error **error) {
            return sprongus_projects_create(on_, detail::c_str(name), detail::c_str(id), detail::c_str(slug),
                                            detail::c_str(owner), out, error);
        });
    }

    Project get_project(const std::string &id) const {
        return project([&](sprongus_project **out, sprongus_error **error) {
            return sprongus_projects_get(on_, detail::c_str(id), out, error);
        });
    }

    // Changes what is given; an empty owner takes the owner away.
    Project update_project(const std::string &id, const std::optional<std::string> &name,
                           const std::optional<std::string> &slug = std::nullopt,
                           const std::optional<std::string> &owner = std::nullopt,
                           const std::optional<std::string> &status = std::nullopt) const {
        return project([&](sprongus_project **out, sprongus_error **error) {
            return sprongus_projects_update(on_, detail::c_str(id), detail::c_str(name), detail::c_str(slug),
                                            detail::c_str(owner), detail::c_str(status), out, error);
        });
    }

    // Those last changed first.
    Page<Project> list_projects(const std::optional<std::string> &owner = std::nullopt, int64_t limit = 0,
                                const std::optional<std::string> &cursor = std::nullopt) const {
        sprongus_project_list *raw = nullptr;
        check([&](sprongus_error **error) {
            return sprongus_projects_list(on_, detail::c_str(owner), limit, detail::c_str(cursor), &raw, error);
        });
        detail::Handle<sprongus_project_list, sprongus_project_list_free> list(raw);
        return page<Project>(raw, sprongus_project_list_count, sprongus_project_list_at,
                             sprongus_project_list_next_cursor);
    }

    // Binds the tables of the workspace data model; those that it bound, a JSON array.
    std::string install_project(const std::optional<std::string> &project = std::nullopt) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_projects_install(on_, detail::c_str(project), buf, error);
        });
    }

    // `flags`: SPRONGUS_CASCADE.
    void delete_project(const std::string &id, uint32_t flags = 0) const {
        check([&](sprongus_error **error) {
            return sprongus_projects_delete(on_, detail::c_str(id), flags, error);
        });
    }

    // A setting of the store, or of the project; none where it is not set.
    std::optional<std::string> get_config(const std::string &key,
                                          const std::optional<std::string> &project = std::nullopt) const {
        sprongus_buf *raw = nullptr;
        check([&](sprongus_error **error) {
            return sprongus_config_get(on_, detail::c_str(key), detail::c_str(project), &raw, error);
        });
        detail::Handle<sprongus_buf, sprongus_buf_free> value(raw);
        if (!raw) return std::nullopt;
        return std::string(sprongus_buf_data(raw), sprongus_buf_length(raw));
    }

    // `value` is JSON.
    void set_config(const std::string &key, std::string_view value,
                    const std::optional<std::string> &project = std::nullopt) const {
        check([&](sprongus_error **error) {
            return sprongus_config_set(on_, detail::c_str(key), value.data(), value.size(), detail::c_str(project),
                                       error);
        });
    }

    void unset_config(const std::string &key, const std::optional<std::string> &project = std::nullopt) const {
        check([&](sprongus_error **error) {
            return sprongus_config_unset(on_, detail::c_str(key), detail::c_str(project), error);
        });
    }

    // The settings whose keys begin with the prefix, a JSON object.
    std::string list_config(const std::string &prefix = "",
                            const std::optional<std::string> &project = std::nullopt) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_config_list(on_, detail::c_str(prefix), detail::c_str(project), buf, error);
        });
    }

protected:
    using TableCalls::TableCalls;
    ~ProjectCalls() = default;
    ProjectCalls(ProjectCalls &&) = default;
    ProjectCalls &operator=(ProjectCalls &&) = default;

private:
    template <typename Call>
    static Project project(Call call) {
        sprongus_project *raw = nullptr;
        check([&](sprongus_error **error) { return call(&raw, error); });
        return Project(detail::Handle<sprongus_project, sprongus_project_free>(raw).get());
    }
};

}  // namespace sprongus

#endif  // SPRONGUS_PROJECTS_HPP
