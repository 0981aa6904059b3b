package org.testigo.demo

import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import android.util.AtomicFile
import java.io.File
import java.io.IOException
import java.security.GeneralSecurityException
import java.security.KeyStore
import java.security.SecureRandom
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

/** Encrypts the database key for its rest on disk. */
interface KeyWrapper {
    /** Makes a fresh wrapping key where there is none, and wraps [secret] with it. */
    fun wrap(secret: ByteArray): ByteArray

    /** What [wrap] was given. Fails with [GeneralSecurityException] where the wrapping key is gone. */
    fun unwrap(wrapped: ByteArray): ByteArray
}

/** AES-256-GCM under any [SecretKey]: 1 byte of version, 12 of nonce, then ciphertext and tag. */
abstract class GcmWrapper : KeyWrapper {
    /** The key that wraps, made where [make] allows it; none where it is gone. */
    protected abstract fun key(make: Boolean): SecretKey?

    override fun wrap(secret: ByteArray): ByteArray {
        val cipher = Cipher.getInstance(TRANSFORMATION)
        cipher.init(Cipher.ENCRYPT_MODE, key(make = true))
        return byteArrayOf(VERSION) + cipher.iv + cipher.doFinal(secret)
    }

    override fun unwrap(wrapped: ByteArray): ByteArray {
        if (wrapped.size <= 1 + NONCE_BYTES || wrapped[0] != VERSION) {
            throw GeneralSecurityException("not a wrapped key")
        }
        val key = key(make = false) ?: throw GeneralSecurityException("the wrapping key is gone")
        val cipher = Cipher.getInstance(TRANSFORMATION)
        cipher.init(Cipher.DECRYPT_MODE, key, GCMParameterSpec(TAG_BITS, wrapped, 1, NONCE_BYTES))
        return cipher.doFinal(wrapped, 1 + NONCE_BYTES, wrapped.size - 1 - NONCE_BYTES)
    }

    private companion object {
        const val TRANSFORMATION = "AES/GCM/NoPadding"
        const val VERSION: Byte = 1
        const val NONCE_BYTES = 12
        const val TAG_BITS = 128
    }
}

/**
 * Under a key that never leaves Android's Keystore. It asks for no fingerprint and no unlocked screen: once the
 * phone was unlocked after its start, a job can send what waits while it lies locked in a pocket.
 */
class KeystoreWrapper : GcmWrapper() {
    override fun key(make: Boolean): SecretKey? {
        val store = KeyStore.getInstance(PROVIDER).apply { load(null) }
        (store.getKey(ALIAS, null) as SecretKey?)?.let { return it }
        if (!make) return null
        val generator = KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, PROVIDER)
        val use = KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT
        generator.init(
            KeyGenParameterSpec.Builder(ALIAS, use)
                .setKeySize(256)
                .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
                .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
                .build(),
        )
        return generator.generateKey()
    }

    private companion object {
        const val PROVIDER = "AndroidKeyStore"
        const val ALIAS = "testigo-database"
    }
}

/** The database key, wrapped, in a file that backups and transfers to other phones leave out. */
class DatabaseKeyFile(private val file: File, private val wrapper: KeyWrapper) {
    /** Makes 32 random bytes and keeps them wrapped; one from before is replaced. */
    fun make(): ByteArray {
        val key = ByteArray(KEY_BYTES)
        SecureRandom().nextBytes(key)
        val atomic = AtomicFile(file)
        val stream = atomic.startWrite()
        try {
            stream.write(wrapper.wrap(key))
            atomic.finishWrite(stream)
        } catch (error: Exception) {
            atomic.failWrite(stream)
            throw error
        }
        return key
    }

    /** The key, or none where the file or the key that wrapped it is gone. */
    fun read(): ByteArray? = try {
        wrapper.unwrap(AtomicFile(file).readFully())
    } catch (_: GeneralSecurityException) {
        null
    } catch (_: IOException) {
        null
    }

    private companion object {
        const val KEY_BYTES = 32
    }
}
