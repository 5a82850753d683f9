// The calls around runs: approvals, inbox, schedules, the feed of events. Included by sprongus.hpp.
#ifndef SPRONGUS_QUEUE_HPP
#define SPRONGUS_QUEUE_HPP

#include "runs.hpp"

namespace sprongus {

// Approvals, inbox, schedules and events. Errors and what stands in the JSON: as the function of sprongus.h says.
class QueueCalls : public RunCalls {
public:
    // Asks for leave in the middle of a run; pending where `decision()` of what it gives is none: then leave the run alone.
    Approval request_approval(const Run &mine, const std::string &scope, const std::string &intent_summary,
                              const sprongus_approval_options *options = nullptr) const {
        return approval([&](sprongus_approval **out, sprongus_error **error) {
            return sprongus_approvals_request(on_, mine.id().c_str(), mine.lease(), detail::c_str(scope),
                                              detail::c_str(intent_summary), options, out, error);
        });
    }

    // Gives leave; without options: at the gate before the queue.
    Approval approve(const std::string &run_id, const std::string &by,
                     const sprongus_approval_options *options = nullptr) const {
        return approval([&](sprongus_approval **out, sprongus_error **error) {
            return sprongus_approvals_approve(on_, detail::c_str(run_id), detail::c_str(by), options, out, error);
        });
    }

    // Refuses leave; without options: at the gate before the queue.
    Approval deny(const std::string &run_id, const std::string &by,
                  const sprongus_approval_options *options = nullptr) const {
        return approval([&](sprongus_approval **out, sprongus_error **error) {
            return sprongus_approvals_deny(on_, detail::c_str(run_id), detail::c_str(by), options, out, error);
        });
    }

    Approval get_approval(const std::string &run_id, const std::optional<std::string> &scope = std::nullopt,
                          const std::optional<std::string> &step = std::nullopt) const {
        return approval([&](sprongus_approval **out, sprongus_error **error) {
            return sprongus_approvals_get(on_, detail::c_str(run_id), detail::c_str(scope), detail::c_str(step), out,
                                          error);
        });
    }

    Page<Approval> list_approvals(const sprongus_approvals_query *query = nullptr) const {
        sprongus_approval_list *raw = nullptr;
        check([&](sprongus_error **error) { return sprongus_approvals_list(on_, query, &raw, error); });
        detail::Handle<sprongus_approval_list, sprongus_approval_list_free> list(raw);
        return page<Approval>(raw, sprongus_approval_list_count, sprongus_approval_list_at,
                              sprongus_approval_list_next_cursor);
    }

    // Takes a message once; `enqueue` is its run as `runs.enqueue` of call() takes it, empty for none.
    Accepted accept(const std::string &channel_id, const std::string &provider_message_id, std::string_view enqueue = {},
                    const std::optional<std::string> &project = std::nullopt) const {
        sprongus_run *raw = nullptr;
        bool first = false;
        check([&](sprongus_error **error) {
            return sprongus_inbox_accept(on_, detail::c_str(channel_id), detail::c_str(provider_message_id),
                                         detail::c_str(project), enqueue.data(), enqueue.size(), &raw, &first, error);
        });
        detail::Handle<sprongus_run, sprongus_run_free> run(raw);
        return Accepted{run ? std::optional<Run>(Run(raw)) : std::nullopt, first};
    }

    // Makes a schedule, or changes the one of that name; it as JSON.
    std::string put_schedule(const std::string &name, const std::string &kind,
                             const sprongus_schedule_options &options, std::string_view input = "null") const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_schedules_put(on_, detail::c_str(name), detail::c_str(kind), input.data(), input.size(),
                                          &options, buf, error);
        });
    }

    // A schedule, as JSON.
    std::string get_schedule(const std::string &name, const std::optional<std::string> &project = std::nullopt) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_schedules_get(on_, detail::c_str(name), detail::c_str(project), buf, error);
        });
    }

    // All schedules, a JSON array.
    std::string list_schedules() const {
        return detail::buffer(
            [&](sprongus_buf **buf, sprongus_error **error) { return sprongus_schedules_list(on_, buf, error); });
    }

    // Holds a schedule back; it as JSON.
    std::string pause_schedule(const std::string &name, const std::optional<std::string> &project = std::nullopt) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_schedules_pause(on_, detail::c_str(name), detail::c_str(project), buf, error);
        });
    }

    // Lets a schedule go on from now; it as JSON.
    std::string resume_schedule(const std::string &name, const std::optional<std::string> &project = std::nullopt) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_schedules_resume(on_, detail::c_str(name), detail::c_str(project), buf, error);
        });
    }

    void delete_schedule(const std::string &name, const std::optional<std::string> &project = std::nullopt) const {
        check([&](sprongus_error **error) {
            return sprongus_schedules_delete(on_, detail::c_str(name), detail::c_str(project), error);
        });
    }

    // The next slots of a schedule, a JSON array of times.
    std::string next_times(const std::string &name, int64_t limit = 0,
                           const std::optional<std::string> &project = std::nullopt) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_schedules_next_times(on_, detail::c_str(name), detail::c_str(project), limit, buf, error);
        });
    }

    // How many runs of slots that have come were enqueued.
    int64_t tick(int64_t limit = 0) const {
        int64_t enqueued = 0;
        check([&](sprongus_error **error) { return sprongus_schedules_tick(on_, limit, &enqueued, error); });
        return enqueued;
    }

    // The events after a position: a JSON object of `items` and `cursor`.
    std::string read_events(const sprongus_events_query *query = nullptr) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_events_read(on_, query, buf, error);
        });
    }

    // The position after the last event there is.
    std::string events_position() const {
        return detail::buffer(
            [&](sprongus_buf **buf, sprongus_error **error) { return sprongus_events_position(on_, buf, error); });
    }

protected:
    using RunCalls::RunCalls;
    ~QueueCalls() = default;
    QueueCalls(QueueCalls &&) = default;
    QueueCalls &operator=(QueueCalls &&) = default;
};

}  // namespace sprongus

#endif  // SPRONGUS_QUEUE_HPP
