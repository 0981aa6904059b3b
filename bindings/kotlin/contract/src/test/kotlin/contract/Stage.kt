package contract

import org.junit.After
import org.junit.Before
import org.junit.Rule
import org.junit.rules.TemporaryFolder
import org.testigo.HostKeys
import org.testigo.Phone
import org.testigo.Scanner
import org.testigo.TestigoException
import org.testigo.phoneExists
import org.testigo.scanFrame
import java.io.File
import java.nio.ByteBuffer
import java.security.SecureRandom

/** A real sheet of 28 July 2024: 368 valid votes, 0 null ones. */
const val SHEET =
    "201301006.01.1.0001!140,7,10,8,1,7,1,0,2,3,0,1,8,1,0,1,0,3,1,1,0,1,0,0,0,0,0,0,1,2,0,0,0,5,7,155,1,1!0!0"

/** Its polling table, which this test's witnesses are sent to. */
const val TABLE = "201301006.01"

/** What each test stands on: a folder, headquarters that do not serve yet, and phones in folders of their own. */
abstract class Stage {
    @get:Rule
    val folder = TemporaryFolder()

    @get:Rule
    val told = Told()

    protected lateinit var headquarters: Headquarters
    private val phones = mutableListOf<Phone>()

    @Before
    fun begin() {
        headquarters = Headquarters(folder.newFolder("headquarters"))
    }

    @After
    fun end() {
        phones.forEach(Phone::close)
        headquarters.close()
    }

    /** A folder in which no phone is yet. */
    protected fun home(name: String = "phone"): String = File(folder.root, name).path

    /** A new phone that has not enrolled. */
    protected fun newPhone(home: String, key: ByteArray): Phone = Phone.create(home, key).also(phones::add)

    /** A new phone that has enrolled. */
    protected fun enrolledPhone(home: String = home(), key: ByteArray = newKey()): Phone =
        newPhone(home, key).also(::enrol)

    /** Enrols it here. */
    protected fun enrol(phone: Phone) {
        phone.enrol(witnessCode(), headquarters.keyset, headquarters.pack)
    }

    /** Opens it; closed at the test's end. */
    protected fun open(home: String, key: ByteArray): Phone = Phone.open(home, key).also(phones::add)

    /** The same under the app's own key store: a new one, or the one that is there. */
    protected fun under(home: String, keys: HostKeys): Phone =
        (if (phoneExists(home)) Phone.openUnder(home, keys) else Phone.createUnder(home, keys)).also(phones::add)

    /** Closes it before the test's end. */
    protected fun close(phone: Phone) {
        phones.remove(phone)
        phone.close()
    }

    /** The text of a new witness's enrolment code, scanned from its picture. */
    protected fun witnessCode(): String {
        val picture = Picture.decode(headquarters.invite(TABLE))
        return Scanner().use { checkNotNull(it.scanPicture(picture).single().text) }
    }
}

/** A database key, as a phone's key store would unwrap it. */
fun newKey(): ByteArray = ByteArray(32).also(SecureRandom()::nextBytes)

/** The codes of a whole picture that stands upright. */
fun Scanner.scanPicture(picture: Picture) = scanFrame(ByteBuffer.wrap(picture.grey), picture.width, picture.height)

/** The error that the work must end with. */
inline fun <reified E : TestigoException> fails(work: () -> Unit): E {
    val thrown = runCatching(work).exceptionOrNull()
    return thrown as? E ?: throw AssertionError("not ${E::class.simpleName}, but $thrown")
}
