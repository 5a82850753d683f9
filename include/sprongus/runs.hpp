// The calls on runs that a store and a transaction have in common. Included by sprongus.hpp.
#ifndef SPRONGUS_RUNS_HPP
#define SPRONGUS_RUNS_HPP

#include "calls.hpp"

namespace sprongus {

// Runs: enqueue, claim, report, look. Errors and what stands in the JSON: as the function of sprongus.h says that has the name.
class RunCalls : public Calls {
public:
    Run enqueue(const std::string &kind, std::string_view input = "null",
                const sprongus_enqueue_options *options = nullptr) const {
        return run([&](sprongus_run **out, sprongus_error **error) {
            return sprongus_runs_enqueue(on_, detail::c_str(kind), input.data(), input.size(), options, out, error);
        });
    }

    // All or none; `items` is a JSON array.
    std::vector<Run> enqueue_many(std::string_view items) const {
        return runs([&](sprongus_run_list **out, sprongus_error **error) {
                   return sprongus_runs_enqueue_many(on_, items.data(), items.size(), out, error);
               })
            .items;
    }

    std::vector<Run> claim_next(const std::string &worker_id, const sprongus_claim_options *options = nullptr) const {
        return runs([&](sprongus_run_list **out, sprongus_error **error) {
                   return sprongus_runs_claim_next(on_, detail::c_str(worker_id), options, out, error);
               })
            .items;
    }

    // Begins a run that was claimed with `dispatch`.
    Run start(const Run &mine) const {
        return run([&](sprongus_run **out, sprongus_error **error) {
            return sprongus_runs_start(on_, mine.id().c_str(), mine.lease(), out, error);
        });
    }

    // Look at the state of what it gives: a canceled run is left alone.
    Run heartbeat(const Run &mine, const std::optional<std::string> &progress = std::nullopt,
                  int64_t extend_ms = 0) const {
        return run([&](sprongus_run **out, sprongus_error **error) {
            return sprongus_runs_heartbeat(on_, mine.id().c_str(), mine.lease(), progress ? progress->data() : nullptr,
                                           progress ? progress->size() : 0, extend_ms, out, error);
        });
    }

    Run succeed(const Run &mine, const std::optional<std::string> &output = std::nullopt,
                const std::optional<std::string> &output_ref = std::nullopt) const {
        return run([&](sprongus_run **out, sprongus_error **error) {
            return sprongus_runs_succeed(on_, mine.id().c_str(), mine.lease(), output ? output->data() : nullptr,
                                         output ? output->size() : 0, detail::c_str(output_ref), out, error);
        });
    }

    Run fail(const Run &mine, const std::string &message, bool is_final = false, int64_t retry_in_ms = 0) const {
        return run([&](sprongus_run **out, sprongus_error **error) {
            return sprongus_runs_fail(on_, mine.id().c_str(), mine.lease(), detail::c_str(message), is_final ? 1 : 0,
                                      retry_in_ms, out, error);
        });
    }

    Run cancel(const std::string &id, const std::optional<std::string> &reason = std::nullopt) const {
        return run([&](sprongus_run **out, sprongus_error **error) {
            return sprongus_runs_cancel(on_, detail::c_str(id), detail::c_str(reason), out, error);
        });
    }

    // How many runs were rescued.
    int64_t rescue(int64_t limit = 0) const {
        int64_t rescued = 0;
        check([&](sprongus_error **error) { return sprongus_runs_rescue(on_, limit, &rescued, error); });
        return rescued;
    }

    Run get_run(const std::string &id) const {
        return run([&](sprongus_run **out, sprongus_error **error) {
            return sprongus_runs_get(on_, detail::c_str(id), out, error);
        });
    }

    Page<Run> list_runs(const sprongus_runs_query *query = nullptr) const {
        return runs([&](sprongus_run_list **out, sprongus_error **error) {
            return sprongus_runs_list(on_, query, out, error);
        });
    }

    // All events of a run, a JSON array.
    std::string events(const std::string &id) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_runs_events(on_, detail::c_str(id), buf, error);
        });
    }

    // What a run's last success put out.
    std::string output(const std::string &id) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_runs_output(on_, detail::c_str(id), buf, error);
        });
    }

    // The run under an idempotency key, if there is one.
    std::optional<Run> find_idempotent(const std::string &key,
                                       const std::optional<std::string> &project = std::nullopt) const {
        sprongus_run *raw = nullptr;
        check([&](sprongus_error **error) {
            return sprongus_runs_find_idempotent(on_, detail::c_str(key), detail::c_str(project), &raw, error);
        });
        if (!raw) return std::nullopt;
        return Run(detail::Handle<sprongus_run, sprongus_run_free>(raw).get());
    }

    // The run under an idempotency key; where there is none, one of that kind with the input that `factory` gives, which runs
    // with no lock held. Under a race one run is kept and all get it.
    template <typename Factory>
    Run ensure_idempotent(const std::string &key, const std::string &kind, Factory factory,
                          const std::optional<std::string> &project = std::nullopt) const {
        if (std::optional<Run> found = find_idempotent(key, project)) return *found;
        sprongus_enqueue_options options;
        SPRONGUS_INIT(options);
        options.idempotency_key = detail::c_str(key);
        options.project = detail::c_str(project);
        const std::string input = factory();
        return enqueue(kind, input, &options);
    }

    // Due again in `delay_ms`; the attempt is given back.
    Run snooze(const Run &mine, int64_t delay_ms) const {
        return run([&](sprongus_run **out, sprongus_error **error) {
            return sprongus_runs_snooze(on_, mine.id().c_str(), mine.lease(), delay_ms, out, error);
        });
    }

    // Queues a run that failed, timed out or was canceled once more, by hand.
    Run retry(const std::string &id) const {
        return run([&](sprongus_run **out, sprongus_error **error) {
            return sprongus_runs_retry(on_, detail::c_str(id), out, error);
        });
    }

    // What became of each report, a JSON array; `items` is one too.
    std::string succeed_many(std::string_view items) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_runs_succeed_many(on_, items.data(), items.size(), buf, error);
        });
    }

    // What became of each report, a JSON array; `items` is one too.
    std::string fail_many(std::string_view items) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_runs_fail_many(on_, items.data(), items.size(), buf, error);
        });
    }

    // The stored result of a step, if it was done.
    std::optional<std::string> find_step(const Run &mine, const std::string &name) const {
        sprongus_buf *raw = nullptr;
        check([&](sprongus_error **error) {
            return sprongus_runs_find_step(on_, mine.id().c_str(), mine.lease(), detail::c_str(name), &raw, error);
        });
        if (!raw) return std::nullopt;
        detail::Handle<sprongus_buf, sprongus_buf_free> buf(raw);
        return std::string(sprongus_buf_data(raw), sprongus_buf_length(raw));
    }

    // Stores the result of a step; the one that is stored then, for the first stays.
    std::string save_step(const Run &mine, const std::string &name, std::string_view result) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_runs_save_step(on_, mine.id().c_str(), mine.lease(), detail::c_str(name), result.data(),
                                           result.size(), buf, error);
        });
    }

    // The result of a step: the stored one, else what `work` gives (JSON), which is stored.
    template <typename Work>
    std::string step(const Run &mine, const std::string &name, Work work) const {
        if (std::optional<std::string> done = find_step(mine, name)) return *done;
        const std::string result = work();
        return save_step(mine, name, result);
    }

    // The stored steps of a run, a JSON array.
    std::string steps(const std::string &id) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_runs_steps(on_, detail::c_str(id), buf, error);
        });
    }

    // Waits until a run has ended; `timeout_ms` 0 is without end. Throws `timeout`.
    Run wait(const std::string &id, int64_t timeout_ms = 0) const {
        return run([&](sprongus_run **out, sprongus_error **error) {
            return sprongus_runs_wait(on_, detail::c_str(id), timeout_ms, out, error);
        });
    }

    // In words: why a run is not running, and what would change that.
    std::string explain(const std::string &id) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_runs_explain(on_, detail::c_str(id), buf, error);
        });
    }

    // The figures of the queue, as JSON.
    std::string run_stats(const std::optional<std::string> &project = std::nullopt, int64_t window_ms = 0) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_runs_stats(on_, detail::c_str(project), window_ms, buf, error);
        });
    }

    // The limits of kinds, a JSON array.
    std::string limits() const {
        return detail::buffer(
            [&](sprongus_buf **buf, sprongus_error **error) { return sprongus_runs_limits(on_, buf, error); });
    }

    // At most `concurrency` at once, and `rate` claims every `per_ms`; 0 is any number, both 0 lifts the limits.
    void limit_kind(const std::string &kind, int64_t concurrency, int64_t rate = 0, int64_t per_ms = 0) const {
        check([&](sprongus_error **error) {
            return sprongus_runs_limit_kind(on_, detail::c_str(kind), concurrency, rate, per_ms, error);
        });
    }

    // How many runs that ended long ago were removed; 0 is the default of each.
    int64_t prune(int64_t succeeded_after_ms = 0, int64_t failed_after_ms = 0, int64_t limit = 0) const {
        int64_t pruned = 0;
        check([&](sprongus_error **error) {
            return sprongus_runs_prune(on_, succeeded_after_ms, failed_after_ms, limit, &pruned, error);
        });
        return pruned;
    }

protected:
    using Calls::Calls;
    ~RunCalls() = default;
    RunCalls(RunCalls &&) = default;
    RunCalls &operator=(RunCalls &&) = default;
};

}  // namespace sprongus

#endif  // SPRONGUS_RUNS_HPP
