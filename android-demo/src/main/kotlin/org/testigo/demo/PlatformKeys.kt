package org.testigo.demo

import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.KeyProperties
import java.security.GeneralSecurityException
import java.security.KeyStore
import javax.crypto.BadPaddingException
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec
import org.testigo.HostKey
import org.testigo.HostKeys
import org.testigo.HostKeysException

/** AES-256-GCM under a [SecretKey] for each use: 1 byte of version, 12 of nonce, then ciphertext and tag. */
abstract class GcmKeys : HostKeys {
    /** The key of this use, made where [make] allows it; none where it is gone. */
    protected abstract fun key(key: HostKey, make: Boolean): SecretKey?

    /** Destroys it; where there is none, nothing happens. */
    protected abstract fun remove(key: HostKey)

    override fun wrap(key: HostKey, secret: ByteArray): ByteArray = told {
        val cipher = Cipher.getInstance(TRANSFORMATION)
        cipher.init(Cipher.ENCRYPT_MODE, key(key, make = true))
        byteArrayOf(VERSION) + cipher.iv + cipher.doFinal(secret)
    }

    override fun unwrap(key: HostKey, wrapped: ByteArray): ByteArray = told {
        val secretKey = key(key, make = false)
        if (secretKey == null || wrapped.size <= 1 + NONCE_BYTES || wrapped[0] != VERSION) {
            throw HostKeysException.Gone()
        }
        val cipher = Cipher.getInstance(TRANSFORMATION)
        cipher.init(Cipher.DECRYPT_MODE, secretKey, GCMParameterSpec(TAG_BITS, wrapped, 1, NONCE_BYTES))
        cipher.doFinal(wrapped, 1 + NONCE_BYTES, wrapped.size - 1 - NONCE_BYTES)
    }

    override fun destroy(key: HostKey) = told { remove(key) }

    /** Only what is certain counts as gone: a key store that stumbles is asked again. */
    private fun <T> told(work: () -> T): T = try {
        work()
    } catch (_: BadPaddingException) {
        throw HostKeysException.Gone()
    } catch (_: KeyPermanentlyInvalidatedException) {
        throw HostKeysException.Gone()
    } catch (_: GeneralSecurityException) {
        throw HostKeysException.Unavailable()
    }

    private companion object {
        const val TRANSFORMATION = "AES/GCM/NoPadding"
        const val VERSION: Byte = 1
        const val NONCE_BYTES = 12
        const val TAG_BITS = 128
    }
}

/**
 * Keys that never leave Android's Keystore. They ask for no fingerprint and no unlocked screen: once the phone was
 * unlocked after its start, a job can send what waits while it lies locked in a pocket.
 */
class KeystoreKeys : GcmKeys() {
    override fun key(key: HostKey, make: Boolean): SecretKey? {
        (store().getKey(alias(key), null) as SecretKey?)?.let { return it }
        if (!make) return null
        val generator = KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, PROVIDER)
        val use = KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT
        generator.init(
            KeyGenParameterSpec.Builder(alias(key), use)
                .setKeySize(256)
                .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
                .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
                .build(),
        )
        return generator.generateKey()
    }

    override fun remove(key: HostKey) = store().deleteEntry(alias(key))

    private fun store(): KeyStore = KeyStore.getInstance(PROVIDER).apply { load(null) }

    private fun alias(key: HostKey): String = when (key) {
        // An earlier version's, which wrapped the database key in the same form.
        HostKey.STORE -> "testigo-database"
        HostKey.HISTORY -> "testigo-history"
    }

    private companion object {
        const val PROVIDER = "AndroidKeyStore"
    }
}
