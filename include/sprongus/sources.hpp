// Syncs, profiles of providers, artifacts. Included by sprongus.hpp.
#ifndef SPRONGUS_SOURCES_HPP
#define SPRONGUS_SOURCES_HPP

#include "entries.hpp"

namespace sprongus {

// An artifact as it was when the call returned.
class Artifact {
public:
    // Copies what a handle of C's shows; does not take it over.
    explicit Artifact(const sprongus_artifact *artifact)
        : id_(detail::text(sprongus_artifact_id(artifact))),
          media_type_(detail::text(sprongus_artifact_media_type(artifact))),
          sha256_(detail::text(sprongus_artifact_sha256(artifact))),
          json_(detail::text(sprongus_artifact_to_json(artifact))),
          ref_(detail::maybe(sprongus_artifact_ref(artifact))),
          version_(sprongus_artifact_version(artifact)) {
        size_t length = 0;
        const void *content = sprongus_artifact_content(artifact, &length);
        if (content) content_.emplace(static_cast<const char *>(content), length);
    }

    const std::string &id() const noexcept { return id_; }
    // 1 and up.
    int64_t version() const noexcept { return version_; }
    const std::string &media_type() const noexcept { return media_type_; }
    // Hexadecimal.
    const std::string &sha256() const noexcept { return sha256_; }
    // The bytes; none where they are kept elsewhere, or the call does not read them.
    const std::optional<std::string> &content() const noexcept { return content_; }
    // Where they are kept, if elsewhere.
    const std::optional<std::string> &ref() const noexcept { return ref_; }
    // All of it.
    const std::string &json() const noexcept { return json_; }

private:
    std::string id_, media_type_, sha256_, json_;
    std::optional<std::string> content_, ref_;
    int64_t version_;
};

// What tables are synced with, and artifacts. Errors and what stands in the JSON: as the function of sprongus.h says.
class SourceCalls : public EntryCalls {
public:
    // Syncs a table with a profile's provider, "csv:PATH" or "json:PATH"; the run that did or will do it. `flags`:
    // SPRONGUS_DRY_RUN, SPRONGUS_FORCE, SPRONGUS_ENQUEUE.
    Run sync(const std::string &project, const std::string &table, const std::string &provider,
             const std::string &policy = "manual", uint32_t flags = 0,
             const std::optional<std::string> &idempotency_key = std::nullopt) const {
        return run([&](sprongus_run **out, sprongus_error **error) {
            return sprongus_aux_sync(on_, detail::c_str(project), detail::c_str(table), detail::c_str(provider),
                                     detail::c_str(policy), flags, detail::c_str(idempotency_key), out, error);
        });
    }

    // The profile; `config` is a JSON object.
    std::string put_provider(const std::string &name, const std::string &kind, std::string_view config) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_providers_put(on_, detail::c_str(name), detail::c_str(kind), config.data(), config.size(),
                                          buf, error);
        });
    }

    std::string get_provider(const std::string &name) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_providers_get(on_, detail::c_str(name), buf, error);
        });
    }

    // A JSON array.
    std::string list_providers() const {
        return detail::buffer(
            [&](sprongus_buf **buf, sprongus_error **error) { return sprongus_providers_list(on_, buf, error); });
    }

    void delete_provider(const std::string &name) const {
        check([&](sprongus_error **error) { return sprongus_providers_delete(on_, detail::c_str(name), error); });
    }

    // Keeps a content as the next version of its kind and key.
    Artifact put_artifact(const std::string &kind, const std::string &key, std::string_view content,
                          const sprongus_artifact_options *options = nullptr) const {
        return artifact([&](sprongus_artifact **out, sprongus_error **error) {
            return sprongus_artifacts_put(on_, detail::c_str(kind), detail::c_str(key), content.data(), content.size(),
                                          options, out, error);
        });
    }

    Artifact get_artifact(const std::string &id) const {
        return artifact([&](sprongus_artifact **out, sprongus_error **error) {
            return sprongus_artifacts_get(on_, detail::c_str(id), out, error);
        });
    }

    // The newest version of a kind and key.
    Artifact latest_artifact(const std::string &kind, const std::string &key,
                             const std::optional<std::string> &project = std::nullopt) const {
        return artifact([&](sprongus_artifact **out, sprongus_error **error) {
            return sprongus_artifacts_latest(on_, detail::c_str(kind), detail::c_str(key), detail::c_str(project), out,
                                             error);
        });
    }

    // The versions of a kind and key, newest first.
    Page<Artifact> artifact_versions(const std::string &kind, const std::string &key,
                                     const std::optional<std::string> &project = std::nullopt, int64_t limit = 0,
                                     const std::optional<std::string> &cursor = std::nullopt) const {
        return artifacts([&](sprongus_artifact_list **out, sprongus_error **error) {
            return sprongus_artifacts_versions(on_, detail::c_str(kind), detail::c_str(key), detail::c_str(project),
                                               limit, detail::c_str(cursor), out, error);
        });
    }

    // The latest of each kind and key, in that order.
    Page<Artifact> list_artifacts(const std::optional<std::string> &project = std::nullopt,
                                  const std::optional<std::string> &kind = std::nullopt, int64_t limit = 0,
                                  const std::optional<std::string> &cursor = std::nullopt) const {
        return artifacts([&](sprongus_artifact_list **out, sprongus_error **error) {
            return sprongus_artifacts_list(on_, detail::c_str(project), detail::c_str(kind), limit,
                                           detail::c_str(cursor), out, error);
        });
    }

    // Writes the latest of each kind and key into a zip file; how many there are.
    uint64_t export_artifacts(const std::string &path,
                              const std::optional<std::string> &project = std::nullopt) const {
        uint64_t count = 0;
        check([&](sprongus_error **error) {
            return sprongus_artifacts_export_zip(on_, detail::c_str(path), detail::c_str(project), &count, error);
        });
        return count;
    }

protected:
    using EntryCalls::EntryCalls;
    ~SourceCalls() = default;
    SourceCalls(SourceCalls &&) = default;
    SourceCalls &operator=(SourceCalls &&) = default;

private:
    template <typename Call>
    static Artifact artifact(Call call) {
        sprongus_artifact *raw = nullptr;
        check([&](sprongus_error **error) { return call(&raw, error); });
        return Artifact(detail::Handle<sprongus_artifact, sprongus_artifact_free>(raw).get());
    }

    template <typename Call>
    static Page<Artifact> artifacts(Call call) {
        sprongus_artifact_list *raw = nullptr;
        check([&](sprongus_error **error) { return call(&raw, error); });
        detail::Handle<sprongus_artifact_list, sprongus_artifact_list_free> list(raw);
        return page<Artifact>(raw, sprongus_artifact_list_count, sprongus_artifact_list_at,
                              sprongus_artifact_list_next_cursor);
    }
};

}  // namespace sprongus

#endif  // SPRONGUS_SOURCES_HPP
