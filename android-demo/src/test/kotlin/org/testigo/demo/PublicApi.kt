package org.testigo.demo

import java.io.File
import java.io.FileInputStream
import java.io.ObjectInputStream
import java.util.zip.GZIPInputStream
import org.codehaus.mojo.animal_sniffer.Clazz
import org.objectweb.asm.ClassReader
import org.objectweb.asm.ClassVisitor
import org.objectweb.asm.Handle
import org.objectweb.asm.MethodVisitor
import org.objectweb.asm.Opcodes
import org.objectweb.asm.Type

/**
 * The public API of one Android release, from a list made of that release's own SDK (gummy-bears). Looks through the
 * bytecode of [own] for anything of the platform that is not on it; calls through our own subclasses are followed to
 * the platform's class.
 */
class PublicApi(list: File, private val own: List<File>) {
    private val public: Map<String, Clazz> = read(list)
    private val owned: Map<String, ClassReader> = own.flatMap { it.walkTopDown() }.filter { it.extension == "class" }
        .map { ClassReader(it.readBytes()) }.associateBy { it.className }

    /** References looked at. */
    var looked = 0
        private set

    /** Each use of the platform that the list has not, as "where: what". */
    fun missing(): List<String> = owned.values.flatMap { reader ->
        val found = mutableListOf<String>()
        reader.accept(Uses(reader.className, found), ClassReader.SKIP_DEBUG or ClassReader.SKIP_FRAMES)
        found
    }.distinct().sorted()

    private inner class Uses(private val name: String, private val found: MutableList<String>) : ClassVisitor(Opcodes.ASM9) {
        override fun visit(version: Int, access: Int, name: String, sign: String?, parent: String?, faces: Array<String>?) {
            (listOfNotNull(parent) + faces.orEmpty()).forEach { type(it, "extends") }
        }

        override fun visitMethod(access: Int, method: String, about: String, sign: String?, throws: Array<String>?): MethodVisitor =
            object : MethodVisitor(Opcodes.ASM9) {
                override fun visitMethodInsn(code: Int, owner: String, called: String, about: String, face: Boolean) =
                    member(owner, called + about, method)

                override fun visitFieldInsn(code: Int, owner: String, field: String, about: String) =
                    member(owner, "$field#$about", method)

                override fun visitTypeInsn(code: Int, type: String) = type(type, method)

                override fun visitLdcInsn(value: Any?) {
                    if (value is Type) type(value.internalName, method)
                }

                override fun visitInvokeDynamicInsn(called: String, about: String, boot: Handle, vararg arguments: Any?) {
                    arguments.filterIsInstance<Handle>().forEach { member(it.owner, it.name + it.desc, method) }
                }
            }

        private fun type(type: String, where: String) {
            val plain = type.trimStart('[').removePrefix("L").removeSuffix(";")
            if (!isPlatform(plain)) return
            looked += 1
            if (plain !in public) found += "$name.$where: $plain"
        }

        private fun member(owner: String, member: String, where: String) {
            if (owner.startsWith("[")) return
            val platform = platformOwner(owner, member) ?: return
            looked += 1
            if (!has(platform, member)) found += "$name.$where: $platform.$member"
        }
    }

    /** The platform's class that a member of [owner] comes from; none where it is our own or a library's. */
    private fun platformOwner(owner: String, member: String): String? {
        var at = owner
        while (true) {
            if (isPlatform(at)) return at
            val reader = owned[at] ?: return null
            if (declared(at, member)) return null
            at = reader.superName ?: return null
        }
    }

    /** Whether one of our own classes, or an interface of it, has this member. */
    private fun declared(name: String, member: String): Boolean {
        val reader = owned[name] ?: return false
        return declares(reader, member) || reader.interfaces.any { declared(it, member) }
    }

    private fun declares(reader: ClassReader, member: String): Boolean {
        var declared = false
        reader.accept(
            object : ClassVisitor(Opcodes.ASM9) {
                override fun visitMethod(access: Int, name: String, about: String, sign: String?, throws: Array<String>?): MethodVisitor? {
                    declared = declared || name + about == member
                    return null
                }

                override fun visitField(access: Int, name: String, about: String, sign: String?, value: Any?) = null.also {
                    declared = declared || "$name#$about" == member
                }
            },
            ClassReader.SKIP_CODE,
        )
        return declared
    }

    private fun has(owner: String, member: String): Boolean {
        val clazz = public[owner] ?: return false
        if (member in clazz.signatures) return true
        return (listOfNotNull(clazz.superClass) + clazz.superInterfaces.orEmpty()).any { has(it, member) }
    }

    private fun isPlatform(type: String) = PLATFORM.any { type.startsWith(it) }

    private companion object {
        val PLATFORM = listOf("android/", "java/", "javax/", "com/android/", "dalvik/", "libcore/", "org/json/", "org/xml/", "sun/")

        fun read(list: File): Map<String, Clazz> = ObjectInputStream(GZIPInputStream(FileInputStream(list))).use { stream ->
            generateSequence { stream.readObject() as Clazz? }.associateBy { it.name }
        }
    }
}
