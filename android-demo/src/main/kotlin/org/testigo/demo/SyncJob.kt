package org.testigo.demo

import android.app.job.JobInfo
import android.app.job.JobParameters
import android.app.job.JobScheduler
import android.app.job.JobService
import android.content.ComponentName
import android.content.Context
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch
import org.testigo.SyncOutcome
import org.testigo.SyncStop
import org.testigo.TestigoException

/** Delivers what waits as soon as there is a network, also when the app is closed. */
class SyncJob : JobService() {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Main)
    private var stop: SyncStop? = null

    override fun onStartJob(params: JobParameters): Boolean {
        val stop = SyncStop()
        this.stop = stop
        scope.launch {
            val again = try {
                (application as App).session.sync(stop).outcome !is SyncOutcome.Done
            } catch (_: TestigoException) {
                // Not enrolled, or the store fails: trying again by itself would not help.
                false
            } catch (_: PhoneUnusable) {
                false
            }
            // Who was stopped has nothing to say any more; the system starts it again.
            if (this@SyncJob.stop === stop) jobFinished(params, again)
        }
        return true
    }

    override fun onStopJob(params: JobParameters): Boolean {
        stop?.stop()
        stop = null
        return true
    }

    override fun onDestroy() {
        stop?.stop()
        scope.cancel()
        super.onDestroy()
    }

    companion object {
        private const val JOB = 1
        private const val FIRST_RETRY_MS = 30_000L

        /** Asks for a sync at the next network; asked twice it is still one. */
        fun request(context: Context) {
            val job = JobInfo.Builder(JOB, ComponentName(context, SyncJob::class.java))
                .setRequiredNetworkType(JobInfo.NETWORK_TYPE_ANY)
                .setBackoffCriteria(FIRST_RETRY_MS, JobInfo.BACKOFF_POLICY_EXPONENTIAL)
                .setPersisted(true)
                .build()
            context.getSystemService(JobScheduler::class.java)?.schedule(job)
        }
    }
}
