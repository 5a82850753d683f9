// A worker whose handlers are functions of C++. Included by sprongus.hpp.
#ifndef SPRONGUS_WORKER_HPP
#define SPRONGUS_WORKER_HPP

#include "session.hpp"

#include <exception>
#include <functional>

namespace sprongus {

// Thrown by a handler: no other attempt will do better.
class Fatal : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// Thrown by a handler: the run is due again in that time, and the attempt is given back.
class Snooze : public std::exception {
public:
    explicit Snooze(int64_t delay_ms) noexcept : delay_ms_(delay_ms) {}
    const char *what() const noexcept override { return "put off"; }
    int64_t delay_ms() const noexcept { return delay_ms_; }

private:
    int64_t delay_ms_;
};

// A run in a handler's hands. Not to be kept beyond the handler.
class Context {
public:
    explicit Context(const sprongus_context *context) : context_(context), run_(sprongus_context_run(context)) {}

    // The run as it was claimed.
    const Run &run() const noexcept { return run_; }
    // JSON.
    const std::string &input() const noexcept { return run_.input(); }
    // Whether it is no longer wanted; then end soon.
    bool canceled() const { return sprongus_context_canceled(context_); }

    // Tells how far the work is (JSON), and extends the lease.
    void heartbeat(const std::optional<std::string> &progress = std::nullopt) const {
        check([&](sprongus_error **error) {
            return sprongus_context_heartbeat(context_, progress ? progress->data() : nullptr,
                                              progress ? progress->size() : 0, error);
        });
    }

    // What comes out of the run, JSON.
    void output(std::string_view json) const {
        check([&](sprongus_error **error) {
            return sprongus_context_output(context_, json.data(), json.size(), error);
        });
    }

    // Where what comes out of the run is kept.
    void output_ref(const std::string &ref) const {
        check([&](sprongus_error **error) {
            return sprongus_context_output_ref(context_, detail::c_str(ref), error);
        });
    }

    // The secret of that name: to be kept nowhere.
    std::string secret(const std::string &name) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_context_secret(context_, detail::c_str(name), buf, error);
        });
    }

    // Keeps a content as the next version of its kind and key, made by the run.
    Artifact artifact(const std::string &kind, const std::string &key, std::string_view content,
                      const sprongus_artifact_options *options = nullptr) const {
        sprongus_artifact *raw = nullptr;
        check([&](sprongus_error **error) {
            return sprongus_context_artifact(context_, detail::c_str(kind), detail::c_str(key), content.data(),
                                             content.size(), options, &raw, error);
        });
        return Artifact(detail::Handle<sprongus_artifact, sprongus_artifact_free>(raw).get());
    }

    // The result of a step: the stored one, else what `work` gives (JSON), which is stored.
    template <typename Work>
    std::string step(const std::string &name, Work work) const {
        const View store(sprongus_context_store(context_));
        return store.step(run_, name, work);
    }

    // The decided record; where it is pending this leaves the handler, and the run comes back once leave is given.
    Approval approval(const std::string &scope, const std::string &intent_summary,
                      const sprongus_approval_options *options = nullptr) const {
        sprongus_approval *raw = nullptr;
        check([&](sprongus_error **error) {
            return sprongus_context_approval(context_, detail::c_str(scope), detail::c_str(intent_summary), options, &raw,
                                             error);
        });
        Approval asked(detail::Handle<sprongus_approval, sprongus_approval_free>(raw).get());
        if (!asked.decision()) throw Awaiting();
        return asked;
    }

    // Commits what the work did only while the run is still this handler's; `work` takes a `sprongus::Session &`.
    template <typename Work>
    void transaction(Work work) const {
        sprongus_tx *raw = nullptr;
        check([&](sprongus_error **error) { return sprongus_context_begin(context_, &raw, error); });
        const detail::Handle<sprongus_tx, sprongus_tx_free> tx(raw);
        View session(raw);
        work(static_cast<Session &>(session));
        check([&](sprongus_error **error) { return sprongus_context_commit(context_, raw, error); });
    }

    // What leaves a handler whose run waits for an approval; no error, so not for `catch (const std::exception &)`.
    struct Awaiting {};

private:
    // A store or transaction that is borrowed.
    class View : public Session {
    public:
        explicit View(const void *on) : Session(on) {}
    };

    const sprongus_context *context_;
    Run run_;
};

// Works runs by handlers. Freed while at work it lets go of its runs without waiting: stop() it before.
//
//     sprongus::Worker worker(store);
//     worker.handle("greet", [](sprongus::Context &context) { context.output(context.input()); });
//     worker.run_until_idle();
class Worker {
public:
    using Handler = std::function<void(Context &)>;

    template <typename Store>
    explicit Worker(const Store &store, const sprongus_worker_options *options = nullptr)
        : worker_(make(store.get(), options)) {}

    std::string id() const { return detail::text(sprongus_worker_id(worker_.get())); }

    // Several threads call it at once. What it throws fails the attempt; Fatal and Snooze say more.
    void handle(const std::string &kind, Handler handler) {
        auto kept = std::make_unique<Handler>(std::move(handler));
        check([&](sprongus_error **error) {
            return sprongus_worker_handle(worker_.get(), detail::c_str(kind), call, kept.release(), destroy, error);
        });
    }

    // Works the syncs that were enqueued, with the providers that the store knows.
    void serve_sync() {
        check([&](sprongus_error **error) { return sprongus_worker_serve_sync(worker_.get(), error); });
    }

    // Until stop() is called from another thread.
    void run() {
        check([&](sprongus_error **error) { return sprongus_worker_run(worker_.get(), error); });
    }

    // Until nothing of its kinds is running anywhere, due, or due within that time.
    void run_until_idle(int64_t patience_ms = SPRONGUS_NONE) {
        check([&](sprongus_error **error) {
            return sprongus_worker_run_until_idle(worker_.get(), patience_ms, error);
        });
    }

    // On threads of its own.
    void start() {
        check([&](sprongus_error **error) { return sprongus_worker_start(worker_.get(), error); });
    }

    // Whether all handlers ended in time; 0 is without end.
    bool stop(int64_t timeout_ms = 0) {
        bool ended = false;
        check([&](sprongus_error **error) { return sprongus_worker_stop(worker_.get(), timeout_ms, &ended, error); });
        return ended;
    }

    // What it has done and is doing, as JSON.
    std::string metrics() const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_worker_metrics(worker_.get(), buf, error);
        });
    }

    // C's handle, borrowed.
    sprongus_worker *get() const noexcept { return worker_.get(); }

private:
    static sprongus_worker *make(const sprongus_store *store, const sprongus_worker_options *options) {
        sprongus_worker *worker = nullptr;
        check([&](sprongus_error **error) { return sprongus_worker_new(store, options, &worker, error); });
        return worker;
    }

    // No exception leaves it.
    static int32_t call(void *self, const sprongus_context *raw) noexcept {
        try {
            Context context(raw);
            (*static_cast<Handler *>(self))(context);
            return SPRONGUS_DONE;
        } catch (const Context::Awaiting &) {
            return SPRONGUS_AWAITING;
        } catch (const Snooze &snooze) {
            sprongus_context_snooze(raw, snooze.delay_ms(), nullptr);
            return SPRONGUS_SNOOZED;
        } catch (const Fatal &failed) {
            sprongus_context_failure(raw, failed.what(), nullptr);
            return SPRONGUS_FATAL;
        } catch (const std::exception &failed) {
            sprongus_context_failure(raw, failed.what(), nullptr);
            return SPRONGUS_RETRY;
        } catch (...) {
            sprongus_context_failure(raw, "the handler threw", nullptr);
            return SPRONGUS_RETRY;
        }
    }

    static void destroy(void *self) { delete static_cast<Handler *>(self); }

    detail::Handle<sprongus_worker, sprongus_worker_free> worker_;
};

}  // namespace sprongus

#endif  // SPRONGUS_WORKER_HPP
